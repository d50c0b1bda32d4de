namespace Dom.Train.Memorization;

/// <summary>Which of the confident samples DOM_RE removes: the removal experiments of DOM (ICLR 2024), figure 1 right.</summary>
public enum RemoveSet
{
    /// <summary>All of them: DOM_RE itself.</summary>
    All,

    /// <summary>Those that were confident at the end of epoch K too.</summary>
    Original,

    /// <summary>Those that were not: the over-memorized ones.</summary>
    Transformed,
}
