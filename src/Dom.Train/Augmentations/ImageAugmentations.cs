namespace Dom.Train.Augmentations;

/// <summary>An image augmentation by its name in the literature.</summary>
public enum AugmentationKind
{
    /// <summary>None: crop and flip alone.</summary>
    None,

    /// <summary>AugMix (Hendrycks et al., ICLR 2020) with torchvision's defaults, and without the Jensen-Shannon loss.</summary>
    AugMix,

    /// <summary>RandAugment (Cubuk et al., 2020) with torchvision's defaults: two operations of magnitude 9 of 31.</summary>
    RandAugment,
}

/// <summary>The image augmentations by name.</summary>
public static class ImageAugmentations
{
    /// <summary>The augmentation of a name, with torchvision's defaults.</summary>
    /// <exception cref="ArgumentException">There is none to make.</exception>
    public static IImageAugmentation Create(AugmentationKind kind) => kind switch
    {
        AugmentationKind.AugMix => new AugMix(),
        AugmentationKind.RandAugment => new RandAugment(),
        _ => throw new ArgumentException($"There is no image augmentation '{kind}'.", nameof(kind)),
    };
}
