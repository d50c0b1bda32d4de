using Dom.Kernels.Cpu.Simd;
using Dom.Tensors.Ops;

namespace Dom.Kernels.Cpu;

/// <summary>The plans of the convolutions that a backend has run: made at the first call of each size, then looked up.</summary>
internal sealed class Conv2dPlans
{
    private const int MostPlans = 1024; // a network has tens; this only bounds what a sweep over sizes leaves behind

    private readonly Lock _lock = new();
    private readonly Dictionary<Conv2dSizes, Conv2dGatherPlan> _forward = [], _inputGradient = [];
    private readonly Dictionary<Conv2dSizes, Conv2dWeightGradientPlan> _weightGradient = [];
    private readonly Dictionary<Conv2dSizes, Conv2dPixelGradientPlan> _pixelGradient = [];
    private readonly Dictionary<Conv2dSizes, WinogradPlan> _winogradForward = [], _winogradInputGradient = [];
    private readonly Dictionary<Conv2dSizes, WinogradWeightGradientPlan> _winogradWeightGradient = [];

    public Conv2dGatherPlan Forward(Conv2dSizes sizes, SimdWidth widest) => Get(_forward, sizes, widest, Conv2dGatherPlan.Forward);

    public Conv2dGatherPlan InputGradient(Conv2dSizes sizes, SimdWidth widest) =>
        Get(_inputGradient, sizes, widest, Conv2dGatherPlan.InputGradient);

    public Conv2dWeightGradientPlan WeightGradient(Conv2dSizes sizes, SimdWidth widest) =>
        Get(_weightGradient, sizes, widest, Conv2dWeightGradientPlan.For);

    public Conv2dPixelGradientPlan PixelGradient(Conv2dSizes sizes, SimdWidth widest) =>
        Get(_pixelGradient, sizes, widest, Conv2dPixelGradientPlan.For);

    public WinogradPlan WinogradForward(Conv2dSizes sizes, SimdWidth widest) =>
        Get(_winogradForward, sizes, widest, static (s, w) => new WinogradPlan(WinogradMap.Forward(s), w));

    public WinogradPlan WinogradInputGradient(Conv2dSizes sizes, SimdWidth widest) =>
        Get(_winogradInputGradient, sizes, widest, static (s, w) => new WinogradPlan(WinogradMap.InputGradient(s), w));

    public WinogradWeightGradientPlan WinogradWeightGradient(Conv2dSizes sizes, SimdWidth widest) =>
        Get(_winogradWeightGradient, sizes, widest, static (s, w) => new WinogradWeightGradientPlan(WinogradMap.Forward(s), w));

    private TPlan Get<TPlan>(
        Dictionary<Conv2dSizes, TPlan> plans, Conv2dSizes sizes, SimdWidth widest, Func<Conv2dSizes, SimdWidth, TPlan> make)
    {
        lock (_lock)
        {
            if (plans.TryGetValue(sizes, out var plan))
                return plan;
            if (plans.Count >= MostPlans)
                plans.Clear();
            plan = make(sizes, widest);
            plans.Add(sizes, plan);
            return plan;
        }
    }
}
