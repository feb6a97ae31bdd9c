// The card on Airflow's home page. Airflow imports this file and renders the function that it leaves behind, with its
// own React and its own components: no build, no library of ours, and both of Airflow's themes.
"use strict";
(() => {
  const { createElement: element, useEffect, useState } = globalThis.React;
  const chakra = globalThis.ChakraUI ?? {};
  const Box = chakra.Box ?? "div";
  const REFRESH = 60_000;
  const base = new URL(".", document.baseURI).pathname.replace(/\/$/, "");
  const thousands = new Intl.NumberFormat("en-US");

  function percent(share) {
    if (share === null) return "–";
    const hundred = share * 100;
    if (hundred > 99.9 && hundred < 100) return "> 99.9\u202f%";
    if (hundred > 0 && hundred < 0.1) return "< 0.1\u202f%";
    return hundred.toFixed(1) + "\u202f%";
  }

  function Figure({ figure }) {
    const tone = { bad: "fg.error", beside: "fg.error", good: "fg.success", plain: "fg.muted" }[figure.tone] ?? "fg.muted";
    return element(
      Box,
      { as: "a", href: base + "/plugin/crm" + figure.path, display: "block", minWidth: "7.5rem", flex: "1 1 7.5rem", padding: 2, borderRadius: "md", _hover: { background: "bg.muted" }, _focusVisible: { outline: "2px solid", outlineColor: "border.info" } },
      element(Box, { key: "label", fontSize: "sm", color: "fg.muted" }, figure.label),
      element(Box, { key: "value", fontSize: "2xl", fontWeight: "bold", lineHeight: "1.2", color: figure.tone === "bad" ? "fg.error" : "fg" }, figure.share === undefined ? (figure.value === null ? "–" : thousands.format(figure.value) + (figure.more ? "+" : "")) : percent(figure.share)),
      element(Box, { key: "says", fontSize: "xs", color: tone }, figure.says),
    );
  }

  function Org({ org }) {
    return element(
      Box,
      { role: "group", "aria-label": "CRM of " + org.org },
      element(Box, { key: "name", display: "flex", flexWrap: "wrap", columnGap: 2, alignItems: "baseline", paddingX: 2 },
        element(Box, { key: "org", as: "a", href: base + "/plugin/crm/headwater/overview?org=" + encodeURIComponent(org.org), fontWeight: "semibold", minWidth: 0, overflowWrap: "anywhere" }, org.org),
        org.note ? element(Box, { key: "note", fontSize: "sm", color: "fg.muted" }, org.note) : null),
      element(Box, { key: "figures", display: "flex", flexWrap: "wrap", gap: 1 }, org.figures.map((figure) => element(Figure, { key: figure.label, figure }))),
    );
  }

  function Card() {
    const [told, tell] = useState(null);
    useEffect(() => {
      let gone = false;
      async function ask() {
        try {
          const answer = await fetch(base + "/headwater/home.json", { headers: { accept: "application/json" }, credentials: "same-origin" });
          const body = await answer.json();
          if (!gone) tell(answer.ok ? body : { problem: body.detail ?? "Headwater answered " + answer.status + "." });
        } catch {
          if (!gone) tell({ problem: "Headwater does not answer." });
        }
      }
      ask();
      const timer = setInterval(() => document.visibilityState === "visible" && ask(), REFRESH);
      return () => { gone = true; clearInterval(timer); };
    }, []);
    let inside;
    if (told === null) inside = element(Box, { color: "fg.muted", fontSize: "sm", padding: 2 }, "Looking at the CRM data…");
    else if (told.problem) inside = element(Box, { color: "fg.error", fontSize: "sm", padding: 2, role: "status" }, told.problem);
    else if (!told.orgs.length) inside = element(Box, { color: "fg.muted", fontSize: "sm", padding: 2 }, "No org has been read yet: unpause its extract DAG.");
    else inside = told.orgs.map((org) => element(Org, { key: org.org, org }));
    return element(
      Box,
      { as: "section", "aria-label": "CRM", borderWidth: "1px", borderRadius: "lg", padding: 3, marginBottom: 4, display: "flex", flexDirection: "column", gap: 3 },
      element(Box, { key: "head", display: "flex", justifyContent: "space-between", paddingX: 2 },
        element(Box, { key: "title", as: "h2", fontSize: "lg", fontWeight: "bold" }, "CRM"),
        told && told.more ? element(Box, { key: "more", fontSize: "sm", color: "fg.muted" }, told.more) : null),
      inside,
    );
  }

  globalThis["Headwater"] = Card;
})();
