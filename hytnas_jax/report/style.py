"""The style of the report's page: light and dark, wide and narrow, on paper too."""

STYLE = """
:root {
  color-scheme: light dark; --text: #1b2430; --dim: #5c6773; --back: #f6f7f9; --card: #fff;
  --edge: #dfe3e8; --c1: #1f6fb5; --c2: #d1620f; --c3: #8a929c; --c4: #2a8a57; --conv: #1f6fb5;
  --attention: #b8500f; --head: #5b6470; --warn: #fdf1dc; --warn-edge: #d99a2b;
}
@media (prefers-color-scheme: dark) {
  :root {
    --text: #e4e8ed; --dim: #9aa5b1; --back: #12161c; --card: #1b2129; --edge: #303944;
    --c1: #5aa9ea; --c2: #f2914a; --c3: #76818d; --c4: #58bd88; --conv: #2c6aa3;
    --attention: #a8511c; --head: #56606c; --warn: #3a2e16; --warn-edge: #b8862f;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0; background: var(--back); color: var(--text);
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif;
}
main { max-width: 1120px; margin: 0 auto; padding: 28px 16px 64px; }
h1 {
  font-size: clamp(26px, 5vw, 38px); line-height: 1.15; margin: 0 0 10px; letter-spacing: -.01em;
}
h2 { font-size: 22px; margin: 48px 0 6px; letter-spacing: -.01em; }
h3 { font-size: 16px; margin: 0 0 4px; }
p { max-width: 75ch; margin: 8px 0; }
code { font: 0.88em ui-monospace, Menlo, Consolas, monospace; overflow-wrap: anywhere; }
.kicker { color: var(--dim); margin: 0 0 4px; }
.lead { font-size: clamp(18px, 2.6vw, 22px); line-height: 1.4; max-width: 48ch; }
.dim { color: var(--dim); font-size: 14px; }
.tiles {
  display: grid; gap: 12px; grid-template-columns: repeat(auto-fit, minmax(150px, 1fr));
  margin: 20px 0;
}
.tile, .card, .plot {
  background: var(--card); border: 1px solid var(--edge); border-radius: 10px; padding: 14px;
}
.tile b { display: block; font-size: 24px; line-height: 1.2; }
.tile span { color: var(--dim); font-size: 14px; }
.grid {
  display: grid; gap: 16px;
  grid-template-columns: repeat(auto-fill, minmax(min(100%, 340px), 1fr)); margin: 16px 0;
}
.pair {
  display: grid; gap: 16px; grid-template-columns: repeat(auto-fit, minmax(min(100%, 420px), 1fr));
  margin: 16px 0;
}
.plot { margin: 0; }
.wide { max-width: 640px; margin: 16px 0; }
img { display: block; max-width: 100%; height: auto; margin: 0 auto 6px; }
figcaption { font-size: 14px; color: var(--dim); overflow-wrap: anywhere; }
svg { display: block; width: 100%; height: auto; }
svg.blocks { max-width: 400px; margin: 10px auto 0; }
.facts {
  display: flex; flex-wrap: wrap; gap: 2px 14px; margin: 0; padding: 0; list-style: none;
  font-size: 14px;
}
.scroll {
  overflow-x: auto; background: var(--card); border: 1px solid var(--edge); border-radius: 10px;
  margin: 12px 0;
}
table {
  border-collapse: collapse; width: 100%; font-size: 14px; font-variant-numeric: tabular-nums;
}
th, td {
  text-align: left; padding: 7px 10px; border-bottom: 1px solid var(--edge); white-space: nowrap;
}
td.wrap { white-space: normal; overflow-wrap: anywhere; }
th { color: var(--dim); font-weight: 600; }
tr:last-child td { border-bottom: 0; }
.n { text-align: right; }
.missing {
  border: 1px dashed var(--edge); border-radius: 10px; padding: 14px; color: var(--dim);
  max-width: none;
}
.warning {
  background: var(--warn); border-left: 4px solid var(--warn-edge); padding: 10px 14px;
  border-radius: 6px;
}
details { margin: 10px 0; }
summary { cursor: pointer; font-weight: 600; }
.legend {
  display: flex; flex-wrap: wrap; gap: 4px 16px; font-size: 14px; color: var(--dim);
  margin-top: 6px;
}
.legend span { display: inline-flex; align-items: center; gap: 6px; }
.legend i {
  width: 10px; height: 10px; border-radius: 50%; border: 2px solid var(--c); background: var(--c);
}
.legend i.rings { background: none; }
.legend i.line { height: 0; width: 16px; border-width: 1.5px; border-radius: 0; }
.legend i.small { width: 6px; height: 6px; border-width: 1px; }
.swatch {
  display: inline-block; width: 12px; height: 12px; border-radius: 3px; vertical-align: -1px;
  margin-right: 4px;
}
.c1 { --c: var(--c1); }
.c2 { --c: var(--c2); }
.c3 { --c: var(--c3); }
.c4 { --c: var(--c4); }
.chart .dots { fill: var(--c); }
.chart .small { fill: var(--c); opacity: 0.75; }
.chart .rings { fill: none; stroke: var(--c); stroke-width: 2; }
.chart polyline { fill: none; }
.chart .line { stroke: var(--c); stroke-width: 2; }
.chart .bar { stroke: var(--c); opacity: 0.5; }
.chart .grid { stroke: currentColor; opacity: 0.12; }
.chart .link { stroke: currentColor; opacity: 0.3; }
.chart .diagonal { stroke: currentColor; opacity: 0.4; stroke-dasharray: 4 4; }
.chart text { fill: var(--dim); }
.chart .label { fill: var(--text); font-weight: 600; }
@media print {
  .tile, .card, .plot { break-inside: avoid; }
}
"""
