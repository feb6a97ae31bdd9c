// Draw the charts of a page with uPlot: the figures stand beside each as JSON, the SVG before it is what is there without scripts.
"use strict";
(() => {
  const root = document.documentElement;
  const DASHES = [[], [7, 4], [2, 3], [10, 3, 2, 3], [], [7, 4], [2, 3], [10, 3, 2, 3]];
  const thousands = new Intl.NumberFormat("en-US");
  const drawn = [];

  function colour(name) {
    return getComputedStyle(root).getPropertyValue(name).trim();
  }

  function written(unit, value) {
    if (value === null || value === undefined) return "–";
    if (unit !== "share") return thousands.format(value);
    const hundred = value * 100;
    if (hundred > 0 && hundred < 0.1) return "< 0.1\u202f%";
    if (hundred > 99.9 && hundred < 100) return "> 99.9\u202f%";
    return hundred.toFixed(1) + "\u202f%";
  }

  function moment(seconds) {
    return new Date(seconds * 1000).toISOString().slice(0, 16).replace("T", " ") + "\u202fUTC";
  }

  function options(figure, told, width, seen) {
    const [low, high] = figure.bounds;
    const line = { stroke: colour("--muted"), grid: { stroke: colour("--line"), width: 1 }, ticks: { show: false }, font: "12px system-ui, sans-serif" };
    const spread = figure.times.length > 1 ? [figure.times[0], figure.times[figure.times.length - 1]] : [figure.times[0] - 43200, figure.times[0] + 43200];
    return {
      width,
      height: width < 500 ? 200 : 240,
      legend: { show: false },
      tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), "Etc/UTC"),
      scales: { x: { range: () => spread }, y: { range: () => [low, high] } },
      axes: [
        { ...line, space: 80, size: 40, values: [
          [31536000, "{YYYY}", null, null, null, null, null, null, 1],
          [2419200, "{YYYY}-{MM}", null, null, null, null, null, null, 1],
          [86400, "{MM}-{DD}", null, null, null, null, null, null, 1],
          [60, "{HH}:{mm}", "\n{MM}-{DD}", null, "\n{MM}-{DD}", null, null, null, 1],
          [1, "{HH}:{mm}:{ss}", "\n{MM}-{DD}", null, "\n{MM}-{DD}", null, null, null, 1],
        ] },
        { ...line, size: figure.unit === "share" ? 52 : 64, values: (_, marks) => marks.map((mark) => figure.unit === "share" ? Math.round(mark * 1000) / 10 + "\u202f%" : figure.bounds[1] >= 1e7 ? thousands.format(mark / 1e6) + "\u202fM" : thousands.format(mark)) },
      ],
      series: [{}, ...figure.series.map((each, place) => ({
        label: each.label,
        show: seen[place],
        stroke: colour("--series-" + (place + 1)),
        width: place ? 1.5 : 2.5,
        dash: DASHES[place],
        spanGaps: true,
        points: { show: figure.times.length < 32, size: place ? 5 : 7, fill: colour("--raised") },
      }))],
      cursor: { y: false, drag: { x: false, y: false }, points: { size: 9 } },
      hooks: { setCursor: [(plot) => told(plot.cursor.idx)] },
    };
  }

  function chart(place) {
    const figure = JSON.parse(place.querySelector("script[type='application/json']").textContent);
    if (!figure.times.length) return;
    const plain = place.querySelector("svg");
    const area = document.createElement("div");
    const told = document.createElement("p");
    const names = document.createElement("div");
    area.className = "plot";
    area.tabIndex = 0;
    area.setAttribute("role", "application");
    area.setAttribute("aria-label", figure.name + ": arrow keys move from one time to the next" + (figure.links.length ? ", Enter opens it" : ""));
    told.className = "told";
    told.setAttribute("role", "status");
    names.className = "names";
    const seen = figure.series.map((_, number) => number < 2 || figure.series.length <= 4);
    let plot = null;
    let at = null;

    function tell(index) {
      at = index ?? null;
      const shown = at ?? figure.marked ?? figure.times.length - 1;
      told.textContent = moment(figure.times[shown]) + ": " + figure.series.map((each, number) => seen[number] ? each.label + " " + written(figure.unit, each.values[shown]) : "").filter(Boolean).join(" · ");
    }

    function draw() {
      if (plot) plot.destroy();
      const data = [figure.times, ...figure.series.map((each) => each.values)];
      plot = new uPlot(options(figure, tell, Math.max(area.clientWidth, 200), seen), data, area);
      tell(null);
    }

    function go() {
      if (at !== null && figure.links[at]) window.location.href = figure.links[at];
    }

    function move(index) {
      const last = figure.times.length - 1;
      const next = Math.min(Math.max(index, 0), last);
      plot.setCursor({ left: plot.valToPos(figure.times[next], "x"), top: plot.bbox.height / 2 });
      tell(next);
    }

    area.addEventListener("keydown", (event) => {
      const from = at ?? figure.marked ?? figure.times.length - 1;
      const steps = { ArrowLeft: from - 1, ArrowRight: from + 1, Home: 0, End: figure.times.length - 1 };
      if (event.key === "Enter") go();
      else if (event.key in steps) {
        event.preventDefault();
        move(steps[event.key]);
      }
    });
    area.addEventListener("click", go);
    area.classList.toggle("leads", figure.links.length > 0);

    figure.series.forEach((each, number) => {
      const button = document.createElement("button");
      const mark = document.createElement("span");
      button.type = "button";
      mark.className = "mark series-" + (number + 1);
      mark.setAttribute("aria-hidden", "true");
      button.append(mark, each.label);
      button.setAttribute("aria-pressed", String(seen[number]));
      button.addEventListener("click", () => {
        seen[number] = !seen[number];
        button.setAttribute("aria-pressed", String(seen[number]));
        plot.setSeries(number + 1, { show: seen[number] });
        tell(at);
      });
      names.append(button);
    });

    plain.replaceWith(area);
    area.after(told);
    if (figure.series.length > 1) told.after(names);
    draw();
    drawn.push(draw);
    let width = area.clientWidth;
    new ResizeObserver(() => {
      if (area.clientWidth === width) return;
      width = area.clientWidth;
      plot.setSize({ width: Math.max(width, 200), height: width < 500 ? 200 : 240 });
    }).observe(area);
  }

  for (const place of document.querySelectorAll("figure[data-chart]")) chart(place);
  new MutationObserver(() => drawn.forEach((draw) => draw())).observe(root, { attributes: true, attributeFilter: ["data-theme"] });
})();
