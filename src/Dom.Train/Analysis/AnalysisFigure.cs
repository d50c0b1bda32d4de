using System.Xml.Linq;

namespace Dom.Train.Analysis;

/// <summary>A figure of the page: one or two charts and what one sees in them.</summary>
/// <param name="Heading">What stands over it.</param>
/// <param name="Charts">The charts, each with the name that its file has.</param>
/// <param name="Explanation">Paragraphs; one that begins with "Defined in: " names the source.</param>
internal sealed record AnalysisFigure(string Heading, IReadOnlyList<(string Name, XElement Chart)> Charts, IReadOnlyList<string> Explanation);
