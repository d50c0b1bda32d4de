namespace Dom.Train.Reproduction;

/// <summary>What a column of a table shows.</summary>
public enum PaperMeasure
{
    /// <summary>Lowest test error of any epoch: natural, or under PGD-20 in adversarial training.</summary>
    BestError,

    /// <summary>Test error of the last epoch.</summary>
    LastError,

    /// <summary>Best minus last error.</summary>
    ErrorDifference,

    /// <summary>Natural accuracy of the epoch that is best under PGD-20.</summary>
    BestNatural,

    /// <summary>Accuracy under PGD-20 of the epoch that is best under it.</summary>
    BestPgd,

    /// <summary>Accuracy under AutoAttack of that epoch.</summary>
    BestAutoAttack,

    /// <summary>Natural accuracy of the last epoch.</summary>
    LastNatural,

    /// <summary>Accuracy under PGD-20 of the last epoch.</summary>
    LastPgd,

    /// <summary>Accuracy under AutoAttack of the last epoch.</summary>
    LastAutoAttack,

    /// <summary>Seconds an epoch before K.</summary>
    SecondsBefore,

    /// <summary>Seconds an epoch after K.</summary>
    SecondsAfter,

    /// <summary>Seconds an epoch over the whole run, half of it before K.</summary>
    SecondsOverAll,
}

/// <summary>What measures are called.</summary>
public static class PaperMeasures
{
    /// <summary>For people: "best PGD-20".</summary>
    public static string LabelOf(PaperMeasure measure) => measure switch
    {
        PaperMeasure.BestError => "best error %",
        PaperMeasure.LastError => "last error %",
        PaperMeasure.ErrorDifference => "best - last",
        PaperMeasure.BestNatural => "best natural %",
        PaperMeasure.BestPgd => "best PGD-20 %",
        PaperMeasure.BestAutoAttack => "best AutoAttack %",
        PaperMeasure.LastNatural => "last natural %",
        PaperMeasure.LastPgd => "last PGD-20 %",
        PaperMeasure.LastAutoAttack => "last AutoAttack %",
        PaperMeasure.SecondsBefore => "s/epoch before K",
        PaperMeasure.SecondsAfter => "s/epoch after K",
        _ => "s/epoch over all",
    };

    /// <summary>For programs: "best-pgd".</summary>
    public static string NameOf(PaperMeasure measure) => System.Text.Json.JsonNamingPolicy.KebabCaseLower.ConvertName(measure.ToString());
}
