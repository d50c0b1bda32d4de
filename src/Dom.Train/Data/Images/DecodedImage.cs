namespace Dom.Train.Data.Images;

/// <summary>
/// A decoded picture of 8-bit samples: <c>Pixels</c> is [Height, Width, Channels], channels innermost.
/// </summary>
/// <param name="Width">Columns, at least 1.</param>
/// <param name="Height">Rows, at least 1.</param>
/// <param name="Channels">1 (gray) or 3 (red, green, blue).</param>
/// <param name="Pixels">Height x Width x Channels bytes, 0..255. Alpha is dropped and palettes are expanded.</param>
public sealed record DecodedImage(int Width, int Height, int Channels, byte[] Pixels);
