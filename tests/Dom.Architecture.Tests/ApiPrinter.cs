using System.Reflection;
using System.Runtime.CompilerServices;
using System.Text;

namespace Dom.Architecture.Tests;

/// <summary>The public and protected signatures of an assembly, one a line, in a fixed order; what the compiler adds to records is left out.</summary>
internal static class ApiPrinter
{
    private const BindingFlags Declared =
        BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly;

    private static readonly NullabilityInfoContext s_nullability = new();

    public static string Print(Assembly assembly)
    {
        var text = new StringBuilder();
        foreach (var type in assembly.GetExportedTypes().OrderBy(t => t.FullName, StringComparer.Ordinal))
        {
            string name = type.IsNested ? $"{Name(type.DeclaringType!)}.{Name(type)}" : Name(type);
            text.Append($"{type.Namespace}: {Kind(type)} {name}{Bases(type)}\n");
            foreach (string member in Members(type).Order(StringComparer.Ordinal).Distinct())
                text.Append($"{type.Namespace}.{name}: {member}\n");
        }
        return text.ToString();
    }

    private static IEnumerable<string> Members(Type type)
    {
        if (type.IsEnum)
            return Enum.GetNames(type).Select(n => $"{n} = {Convert.ChangeType(Enum.Parse(type, n), Enum.GetUnderlyingType(type))}");
        if (typeof(Delegate).IsAssignableFrom(type))
            return [Method(type.GetMethod("Invoke")!)];
        return type.GetFields(Declared).Where(f => IsVisible(f) && !IsGenerated(f)).Select(Field)
            .Concat(type.GetConstructors(Declared).Where(c => IsVisible(c) && !IsGenerated(c)).Select(c => $"new({Parameters(c)})"))
            .Concat(type.GetProperties(Declared).Where(p => p.GetAccessors(true).Any(IsVisible) && !IsGenerated(p)).Select(Property))
            .Concat(type.GetMethods(Declared)
                .Where(m => IsVisible(m) && !IsGenerated(m) && (!m.IsSpecialName || m.Name.StartsWith("op_", StringComparison.Ordinal)))
                .Select(Method));
    }

    private static string Kind(Type type) => type switch
    {
        { IsEnum: true } => $"enum({Name(Enum.GetUnderlyingType(type))})",
        { IsInterface: true } => "interface",
        { IsValueType: true } => type.IsDefined(typeof(IsReadOnlyAttribute)) ? "readonly struct" : "struct",
        { IsAbstract: true, IsSealed: true } => "static class",
        { IsAbstract: true } => "abstract class",
        { IsSealed: true } => "sealed class",
        _ => "class",
    };

    private static string Bases(Type type)
    {
        var bases = type.GetInterfaces().Where(i => i.IsPublic && !(i.IsGenericType && i.GetGenericTypeDefinition() == typeof(IEquatable<>)))
            .Except(type.BaseType?.GetInterfaces() ?? []).Select(Name).Order(StringComparer.Ordinal);
        if (type.IsEnum)
            return "";
        if (type.BaseType is { } b && b != typeof(object) && b != typeof(ValueType))
            bases = bases.Prepend(Name(b)).Order(StringComparer.Ordinal);
        string list = string.Join(", ", bases);
        return list.Length == 0 ? "" : $" : {list}";
    }

    private static string Field(FieldInfo field)
    {
        string kind = field.IsLiteral ? "const " : field.IsStatic ? "static " : "";
        string value = field.IsLiteral ? $" = {field.GetRawConstantValue()}" : "";
        return $"{Visibility(field.IsFamily || field.IsFamilyOrAssembly)}{kind}{Named(field.FieldType, s_nullability.Create(field))} {field.Name}{value}";
    }

    private static string Property(PropertyInfo property)
    {
        var any = property.GetAccessors(true).First(IsVisible);
        var accessors = new List<string>();
        if (property.GetMethod is { } get && IsVisible(get))
            accessors.Add("get;");
        if (property.SetMethod is { } set && IsVisible(set))
            accessors.Add(set.ReturnParameter.GetRequiredCustomModifiers().Contains(typeof(IsExternalInit)) ? "init;" : "set;");
        string index = string.Join(", ", property.GetIndexParameters().Select(Parameter));
        string name = index.Length == 0 ? property.Name : $"this[{index}]";
        string required = property.IsDefined(typeof(RequiredMemberAttribute)) ? "required " : "";
        return $"{Modifiers(any)}{required}{Named(property.PropertyType, s_nullability.Create(property))} {name} {{ {string.Join(" ", accessors)} }}";
    }

    private static string Method(MethodInfo method)
    {
        string generics = method.IsGenericMethod ? $"<{string.Join(", ", method.GetGenericArguments().Select(Name))}>" : "";
        string returns = Named(method.ReturnType, s_nullability.Create(method.ReturnParameter));
        return $"{Modifiers(method)}{returns} {method.Name}{generics}({Parameters(method)})";
    }

    private static string Modifiers(MethodBase method) => Visibility(method.IsFamily || method.IsFamilyOrAssembly) + method switch
    {
        { IsStatic: true, IsAbstract: true } => "static abstract ",
        { IsStatic: true } => "static ",
        { DeclaringType.IsInterface: true } => "",
        { IsAbstract: true } => "abstract ",
        MethodInfo { IsVirtual: true } m when m.GetBaseDefinition() != m => "override ",
        { IsVirtual: true, IsFinal: false } => "virtual ",
        _ => "",
    };

    private static string Visibility(bool isProtected) => isProtected ? "protected " : "";

    private static string Parameters(MethodBase method) => string.Join(", ", method.GetParameters().Select(Parameter));

    private static string Parameter(ParameterInfo parameter)
    {
        string passing = parameter switch
        {
            { IsOut: true } => "out ",
            { IsIn: true, ParameterType.IsByRef: true } => "in ",
            { ParameterType.IsByRef: true } => "ref ",
            _ when parameter.IsDefined(typeof(ParamArrayAttribute)) || parameter.IsDefined(typeof(ParamCollectionAttribute)) => "params ",
            _ => "",
        };
        string value = !parameter.HasDefaultValue ? "" : parameter.RawDefaultValue switch
        {
            null => parameter.ParameterType.IsValueType && Nullable.GetUnderlyingType(parameter.ParameterType) is null ? " = default" : " = null",
            string s => $" = \"{s}\"",
            object v => $" = {v}",
        };
        return $"{passing}{Named(parameter.ParameterType, s_nullability.Create(parameter))} {parameter.Name}{value}";
    }

    private static string Named(Type type, NullabilityInfo nullability) =>
        Name(type) + (!type.IsValueType && !type.IsGenericParameter && nullability.ReadState == NullabilityState.Nullable ? "?" : "");

    private static string Name(Type type)
    {
        if (type.IsByRef)
            return Name(type.GetElementType()!);
        if (type.IsArray)
            return $"{Name(type.GetElementType()!)}[{new string(',', type.GetArrayRank() - 1)}]";
        if (type.IsPointer)
            return $"{Name(type.GetElementType()!)}*";
        if (Nullable.GetUnderlyingType(type) is { } underlying)
            return $"{Name(underlying)}?";
        string name = type.Name.Split('`')[0];
        return type.IsGenericType ? $"{name}<{string.Join(", ", type.GetGenericArguments().Select(Name))}>" : name;
    }

    private static bool IsVisible(FieldInfo field) => field.IsPublic || field.IsFamily || field.IsFamilyOrAssembly;

    private static bool IsVisible(MethodBase method) => method.IsPublic || method.IsFamily || method.IsFamilyOrAssembly;

    private static bool IsGenerated(MemberInfo member) =>
        member.IsDefined(typeof(CompilerGeneratedAttribute)) || member.Name.Contains('<', StringComparison.Ordinal);
}
