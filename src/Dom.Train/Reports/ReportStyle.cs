namespace Dom.Train.Reports;

/// <summary>The style of the page: light, dark where the reader prefers it, light again on paper.</summary>
internal static class ReportStyle
{
    // Lines: six hues that stay apart for the common kinds of color blindness, each at least 3 : 1 against the background.
    // Shares: one ramp from the smallest losses (strong) to the largest (pale), of steadily changing lightness.
    public const string Css = """
        :root {
          color-scheme: light;
          --background: #ffffff; --surface: #f5f6f8; --text: #1b1f24; --muted: #59636e; --rule: #d5dae0; --accent: #9a3412;
          --accent-surface: #fdeee4; --marker: #6b2fb3;
          --color0: #0067a8; --color1: #c85200; --color2: #00805c; --color3: #a8437f; --color4: #7d6a00; --color5: #555d66;
          --share0: #23307a; --share1: #27539a; --share2: #2b78a8; --share3: #3a9bab;
          --share4: #63b9a1; --share5: #98d095; --share6: #cbe08d; --share7: #f0eaa4;
        }
        @media screen and (prefers-color-scheme: dark) {
          :root {
            color-scheme: dark;
            --background: #14171c; --surface: #1e232a; --text: #e8ebef; --muted: #a3adb8; --rule: #38404a; --accent: #ffb38a;
            --accent-surface: #43281a; --marker: #cfa6ff;
            --color0: #58b4f0; --color1: #ff9a55; --color2: #3fd0a0; --color3: #f29bcb; --color4: #e0c645; --color5: #b5bdc7;
            --share0: #5a66d6; --share1: #4a83d4; --share2: #449dcb; --share3: #4cb4bb;
            --share4: #6bc6a6; --share5: #9bd696; --share6: #cbe28e; --share7: #f2edac;
          }
        }
        * { box-sizing: border-box; }
        body { margin: 0; background: var(--background); color: var(--text); font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; }
        main { max-width: 1040px; margin: 0 auto; padding: 24px 20px 48px; }
        h1 { font-size: 1.75rem; line-height: 1.2; margin: 0 0 8px; overflow-wrap: anywhere; }
        h2 { font-size: 1.25rem; margin: 0 0 8px; }
        h3 { font-size: 1rem; margin: 0 0 8px; }
        p { margin: 0 0 10px; overflow-wrap: anywhere; }
        section { margin-top: 36px; }
        .lead { font-size: 1.05rem; }
        .muted { color: var(--muted); }
        .note { background: var(--accent-surface); color: var(--accent); border-left: 4px solid; padding: 8px 12px; }
        .cards { display: grid; grid-template-columns: repeat(auto-fill, minmax(180px, 1fr)); gap: 12px; margin-top: 24px; }
        .card { background: var(--surface); border: 1px solid var(--rule); border-radius: 8px; padding: 10px 14px; overflow-wrap: anywhere; }
        .card-name, .card-note { color: var(--muted); font-size: .85rem; line-height: 1.35; }
        .card-value { font-size: 1.6rem; font-weight: 600; line-height: 1.35; }
        figure { margin: 0; display: grid; grid-template-columns: minmax(0, 600px) minmax(220px, 1fr); gap: 12px 32px; align-items: start; }
        figcaption { font-size: .95rem; }
        .source { color: var(--muted); font-size: .85rem; }
        svg { display: block; width: 100%; height: auto; }
        svg.chart { font-size: 12px; }
        svg text { fill: var(--text); }
        svg .tick, svg .label { fill: var(--muted); }
        .grid { stroke: var(--rule); stroke-width: .75; }
        .axis { stroke: var(--muted); }
        .marker { stroke: var(--marker); stroke-width: 1.5; stroke-dasharray: 4 3; }
        svg .marker-label { fill: var(--marker); font-weight: 600; }
        .strip { fill: transparent; }
        .strip:hover { fill: var(--text); fill-opacity: .08; }
        .line { stroke-width: 2.25; stroke-linejoin: round; fill: none; }
        .line circle { stroke-width: 2; stroke-dasharray: none; fill: var(--background); }
        .color0 { stroke: var(--color0); } .color1 { stroke: var(--color1); } .color2 { stroke: var(--color2); }
        .color3 { stroke: var(--color3); } .color4 { stroke: var(--color4); } .color5 { stroke: var(--color5); }
        .color0.dash0 circle { fill: var(--color0); } .color1.dash0 circle { fill: var(--color1); } .color2.dash0 circle { fill: var(--color2); }
        .color3.dash0 circle { fill: var(--color3); } .color4.dash0 circle { fill: var(--color4); } .color5.dash0 circle { fill: var(--color5); }
        .dash1 { stroke-dasharray: 7 3; } .dash2 { stroke-dasharray: 2 2.5; } .dash3 { stroke-dasharray: 9 3 2 3; }
        .dash4 { stroke-dasharray: 13 4; } .dash5 { stroke-dasharray: 6 2 2 2 2 2; }
        .share0 { fill: var(--share0); } .share1 { fill: var(--share1); } .share2 { fill: var(--share2); } .share3 { fill: var(--share3); }
        .share4 { fill: var(--share4); } .share5 { fill: var(--share5); } .share6 { fill: var(--share6); } .share7 { fill: var(--share7); }
        .bar rect { shape-rendering: crispEdges; }
        .swatch { stroke: var(--muted); stroke-width: .5; }
        .gallery { display: grid; grid-template-columns: repeat(auto-fill, minmax(150px, 1fr)); gap: 12px; }
        .sample { background: var(--surface); border: 1px solid var(--rule); border-radius: 8px; padding: 10px; font-size: .85rem; line-height: 1.4; overflow-wrap: anywhere; }
        .sample.wrong { border-color: var(--accent); }
        .sample img { display: block; width: 100%; height: auto; margin-bottom: 8px; }
        .pixels { image-rendering: pixelated; }
        .sample-label { display: flex; flex-wrap: wrap; align-items: center; gap: 0 6px; }
        .badge { padding: 0 6px; border-radius: 4px; background: var(--accent-surface); color: var(--accent); font-size: .75rem; font-weight: 600; white-space: nowrap; }
        .spark { margin: 6px 0 2px; }
        .spark path { fill: none; stroke: var(--color0); stroke-width: 1.75; stroke-linejoin: round; }
        .spark circle { fill: var(--color1); }
        .threshold { stroke: var(--muted); stroke-dasharray: 1.5 2.5; }
        summary { cursor: pointer; }
        .scroll { overflow-x: auto; margin-top: 8px; }
        table { border-collapse: collapse; font-size: .85rem; font-variant-numeric: tabular-nums; }
        th, td { border-bottom: 1px solid var(--rule); padding: 4px 10px; vertical-align: top; }
        .numbers th, .numbers td { text-align: right; }
        .numbers thead th { color: var(--muted); font-weight: 600; vertical-align: bottom; }
        .numbers td { white-space: nowrap; }
        .names { width: 100%; }
        .names th { text-align: left; font-weight: 600; padding-left: 0; }
        .names td { overflow-wrap: anywhere; }
        .columns { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 320px), 1fr)); gap: 24px 40px; }
        pre { background: var(--surface); border: 1px solid var(--rule); border-radius: 8px; padding: 10px 14px; margin: 0 0 20px; font-size: .85rem; white-space: pre-wrap; overflow-wrap: anywhere; }
        @media (max-width: 760px) {
          main { padding: 16px 14px 32px; }
          figure { grid-template-columns: minmax(0, 1fr); }
          .cards { grid-template-columns: repeat(auto-fill, minmax(140px, 1fr)); }
          .card-value { font-size: 1.35rem; }
          svg.chart { font-size: 13px; }
        }
        @media print {
          main { max-width: none; padding: 0; }
          body { font-size: 11pt; }
          svg, .card, .sample { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
          figure, .card, .sample, tr, pre { break-inside: avoid; }
          h2, h3 { break-after: avoid; }
          .gallery { grid-template-columns: repeat(5, 1fr); }
          details::details-content { content-visibility: visible; display: block; height: auto; }
          .scroll { overflow: visible; }
          .numbers { font-size: 8pt; }
          .numbers th, .numbers td { padding: 2px 5px; }
        }
        """;
}
