"""How the pages look: by day and by night, on a phone and on paper."""

STYLE = """
:root {
  color-scheme: light dark;
  --paper: #f6f7f8; --card: #ffffff; --ink: #1c2329; --quiet: #56616c; --line: #dfe3e7; --box: #f3f5f7;
  --accent: #2a6496; --passed: #1c7548; --failed: #b23a2e; --error: #9a4b00; --late: #746400; --ended: #6a4c93;
  --skipped: #5d6873; --rest: #e3e7ea;
}
@media screen and (prefers-color-scheme: dark) {
  :root {
    --paper: #12161a; --card: #1a2025; --ink: #e4e8ec; --quiet: #9ba7b3; --line: #2f3840; --box: #141a1f;
    --accent: #7db4e6; --passed: #63c495; --failed: #f08d80; --error: #f0a55e; --late: #d6c964; --ended: #bfa3e6;
    --skipped: #9ba7b3; --rest: #333d46;
  }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; text-size-adjust: 100%; }
body { margin: 0; background: var(--paper); color: var(--ink); line-height: 1.55; overflow-wrap: anywhere;
  font-family: system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "DejaVu Sans", sans-serif; }
main { max-width: 52rem; margin: 0 auto; padding: 1.5rem 1rem 4rem; }
main > section, main > header, main > footer { background: var(--card); border: 1px solid var(--line);
  border-radius: .7rem; padding: 1.2rem 1.3rem 1.3rem; margin-bottom: 1.1rem; }
h1, h2, h3, h4 { line-height: 1.25; margin: 0; text-wrap: balance; }
h1 { font-size: 1.65rem; } h2 { font-size: 1.25rem; } h3 { font-size: 1rem; }
h4, .over { font-size: .8rem; font-weight: 600; color: var(--quiet); letter-spacing: .02em; }
p { margin: .5rem 0; }
a { color: var(--accent); text-underline-offset: .15em; }
a:focus-visible, summary:focus-visible, [tabindex]:focus-visible { outline: 2px solid var(--accent);
  outline-offset: 2px; }
.over { margin: 0 0 .2rem; }
.quiet { color: var(--quiet); }
.small { font-size: .83rem; }
.headline { display: flex; flex-wrap: wrap; gap: .2rem 1rem; justify-content: space-between; align-items: baseline; }
.score { white-space: nowrap; color: var(--quiet); font-variant-numeric: tabular-nums; }
.score b { color: var(--ink); font-size: 1.15em; }
.total p { margin: 0; color: var(--quiet); } .total .score { font-size: 1.2rem; }
.bar { display: flex; gap: 1px; height: .55rem; margin: .45rem 0; border-radius: .3rem; overflow: hidden;
  background: var(--rest); }
.bar i { display: block; height: 100%; background: var(--accent); }
.bar i.passed { background: transparent; } i.failed, .bar i.failed { background: var(--failed); }
i.error, .bar i.error { background: var(--error); } i.late, .bar i.late { background: var(--late); }
i.ended, .bar i.ended { background: var(--ended); } i.skipped, .bar i.skipped { background: var(--skipped); }
.contents { list-style: none; margin: 1rem 0 0; padding: 0; display: grid; gap: .55rem; }
.contents li { display: grid; grid-template-columns: minmax(6rem, 14rem) 1fr 5rem; gap: 0 1rem; align-items: center; }
.contents .bar { margin: 0; } .contents .score { text-align: right; }
table { border-collapse: collapse; width: 100%; margin: .9rem 0 .3rem; font-variant-numeric: tabular-nums; }
caption { text-align: left; color: var(--quiet); font-size: .87rem; padding-bottom: .3rem; }
th, td { text-align: left; vertical-align: baseline; padding: .45rem .9rem .45rem 0; border-top: 1px solid var(--line);
  font-weight: normal; }
th:last-child, td:last-child { padding-right: 0; }
thead th { font-size: .8rem; font-weight: 600; color: var(--quiet); border-top: 0; overflow-wrap: normal; }
table.tests td:last-child, table.tests thead th:last-child { text-align: right; white-space: nowrap; }
.status { display: inline-flex; gap: .45rem; align-items: baseline; white-space: nowrap; font-size: .9rem;
  font-weight: 600; color: var(--skipped); }
.status .mark { width: 1em; text-align: center; flex: none; }
.status.passed { color: var(--passed); } .status.failed { color: var(--failed); }
.status.error { color: var(--error); } .status.late { color: var(--late); } .status.ended { color: var(--ended); }
.tagged { display: inline-block; font-size: .75rem; line-height: 1.3; color: var(--quiet);
  border: 1px solid var(--line); border-radius: 1rem; padding: .05rem .5rem; white-space: nowrap; }
.problem, .note { border-left: 3px solid var(--error); padding: .1rem 0 .1rem .8rem; margin: .8rem 0; }
.problem { border-color: var(--failed); }
.failure { border-top: 1px solid var(--line); padding: 1rem 0 .2rem; margin-top: 1rem; }
.failure > p { margin: .35rem 0; }
.hint { background: color-mix(in srgb, var(--accent) 10%, transparent); border-radius: .5rem; padding: .55rem .8rem; }
pre { background: var(--box); border: 1px solid var(--line); border-radius: .5rem; padding: .6rem .75rem;
  margin: .2rem 0 .6rem; overflow: auto; max-height: 26rem; white-space: pre-wrap; unicode-bidi: isolate;
  font: .84rem/1.45 ui-monospace, "Cascadia Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace; tab-size: 4; }
.sides pre { white-space: pre; }
.sides { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(17rem, 100%), 1fr)); gap: 0 1rem; }
.pictures { display: grid; gap: .8rem; margin: .6rem 0;
  grid-template-columns: repeat(auto-fill, minmax(min(9.5rem, 100%), 1fr)); }
figure { margin: 0; } figcaption { font-size: .83rem; color: var(--quiet); }
figure img { width: 100%; max-width: 18rem; height: auto; image-rendering: pixelated; border-radius: .35rem;
  border: 1px solid var(--line); background: #fff; display: block; }
summary { cursor: pointer; color: var(--accent); padding: .3rem 0; }
details { margin-top: .7rem; }
dl.facts { display: grid; grid-template-columns: max-content 1fr; gap: .25rem 1.2rem; margin: .5rem 0;
  font-size: .9rem; }
dl.facts dt { color: var(--quiet); } dl.facts dd { margin: 0; }
.figures { display: flex; flex-wrap: wrap; gap: .9rem 2.2rem; margin: 1rem 0 0; }
.figures dt { color: var(--quiet); font-size: .83rem; } .figures dd { margin: 0; font-size: 1.4rem; font-weight: 600; }
.figures small { font-size: .85rem; font-weight: normal; color: var(--quiet); }
.histogram { display: block; margin-top: 1rem; overflow: visible; font-size: 12px; }
svg rect { fill: var(--accent); } svg line { stroke: var(--quiet); } svg text { fill: var(--quiet); }
svg text.count { fill: var(--ink); text-anchor: middle; } svg.small { vertical-align: bottom; }
.scroll { overflow-x: auto; } .wide th, .wide td { overflow-wrap: normal; min-width: 4rem; }
.wide th:first-child { min-width: 8rem; }
table.half th { width: 58%; } .share { font-size: 1.05rem; line-height: 1.3; }
.legend { display: flex; flex-wrap: wrap; gap: .2rem 1.1rem; font-size: .83rem; color: var(--quiet); }
.key i { display: inline-block; width: .7rem; height: .7rem; border-radius: .2rem; margin-right: .4rem; }
ul.plain { padding-left: 1.1rem; margin: .5rem 0; }
@media (max-width: 34rem) {
  main { padding: .6rem .6rem 3rem; }
  main > section, main > header, main > footer { padding: 1rem .95rem 1.1rem; }
  .contents li { grid-template-columns: 1fr auto; }
  .contents .bar { grid-column: 1 / -1; order: 1; margin-top: .25rem; }
  dl.facts { grid-template-columns: 1fr; gap: 0; } dl.facts dd { margin-bottom: .5rem; }
}
@media print {
  body { background: none; font-size: 10.5pt; } main { max-width: none; padding: 0; }
  main > section, main > header, main > footer { border: 0; padding: 0; margin-bottom: 1.5rem; }
  .bar, .bar i, svg rect, .hint, figure img { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
  pre, .sides pre { max-height: none; overflow: visible; white-space: pre-wrap; }
  details:not([open])::details-content { content-visibility: visible; }
  tr, figure, .headline, .hint { break-inside: avoid; } h2, h3, h4, caption { break-after: avoid; }
}
"""
