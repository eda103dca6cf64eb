"use strict";
// The page of `forecast serve`. It computes nothing: it sends what is set and shows what comes back.
(() => {
  const PATIENCE = 400; // ms after which a further question is sent although one is unanswered
  const setup = JSON.parse(document.getElementById("setup").textContent);
  const sliders = new Map(setup.sliders.map((slider) => [slider.name, slider]));
  const CHOICES = ["scenario", "form", "view"];
  const SHOWN = ["log10_parallel_streams", "log10_human_equivalents"];
  const SERIES = { [SHOWN[0]]: "parallel streams", [SHOWN[1]]: "human-equivalents" };
  const START = Object.fromEntries(CHOICES.map((name) => [name, setup.start.state[name]]));
  const byId = (id) => document.getElementById(id);

  // What is set

  const untouched = () => ({ ...START, fixed: new Map(), show: SHOWN[0] });
  let state = untouched();

  function query(of) {
    const fields = CHOICES.filter((name) => of[name] !== START[name]).map((name) => [name, of[name]]);
    for (const name of sliders.keys()) if (of.fixed.has(name)) fields.push([name, String(of.fixed.get(name))]);
    return fields;
  }

  function link(of) {
    const fields = query(of);
    if (of.show !== SHOWN[0]) fields.push(["show", of.show]);
    return fields.length ? "#" + new URLSearchParams([["run", setup.run], ...fields]) : "";
  }

  // The state that a link holds; throws a sentence where it holds none.
  function read(fragment) {
    const found = untouched();
    const seen = new Set();
    for (const [name, value] of new URLSearchParams(fragment.replace(/^#/, ""))) {
      if (seen.has(name)) throw new Error(`${name} is given twice: give it once`);
      seen.add(name);
      if (name === "run") {
        if (value !== setup.run) throw new Error(`the link was made for another run (${short(value)}, this is ${setup.run})`);
      } else if (name === "show") {
        if (!SHOWN.includes(value)) throw new Error(`there is no figure of ${short(value)}`);
        found.show = value;
      } else if (CHOICES.includes(name)) {
        if (!setup.choices[name].includes(value)) throw new Error(`no ${name} named ${short(value)}`);
        found[name] = value;
      } else if (sliders.has(name)) {
        found.fixed.set(name, within(sliders.get(name), value));
      } else {
        throw new Error(`no choice or slider named ${short(name)}`);
      }
    }
    return found;
  }

  function within(slider, text) {
    const value = /^[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d{1,3})?$/.test(text) ? Number(text) : NaN;
    const [low, high] = [slider.values[0], slider.values[slider.values.length - 1]];
    if (!(value >= low && value <= high)) {
      throw new Error(`${slider.name} = ${short(text)} is outside the slider's range, ${low} to ${high}`);
    }
    return value;
  }

  const short = (text) => (text.length > 40 ? `${text.slice(0, 40)}...` : text);

  // Asking: one question at a time unless it takes long, always the newest, and a late answer never overwrites

  let asked = 0; // number of the last question
  let shown = 0; // number of the question whose answer is on the page
  let flying = 0; // questions without an answer
  let since = 0; // when the last one was sent
  let wanted = false; // something has changed since

  function ask() {
    wanted = true;
    problem("");
    busy(true);
    pump();
  }

  function pump() {
    if (!wanted) return;
    const left = PATIENCE - (performance.now() - since);
    if (flying > 0 && left > 0) {
      setTimeout(pump, left);
      return;
    }
    wanted = false;
    flying += 1;
    since = performance.now();
    send(++asked, new URLSearchParams(query(state)).toString());
  }

  async function send(number, text) {
    let found;
    try {
      const response = await fetch(`/answer${text ? `?${text}` : ""}`, { headers: { "Request-Number": String(number) } });
      found = await response.json();
    } catch {
      found = { error: "no answer came: is forecast serve still running?" };
    }
    flying -= 1;
    if (number > shown) {
      shown = number;
      problem(found.error ?? "");
      if (!found.error) show(found);
      if (shown === asked && !wanted) settle();
    }
    pump();
  }

  function settle() {
    busy(false);
    history.replaceState(null, "", link(state) || location.pathname);
  }

  const busy = (on) => byId("live").setAttribute("aria-busy", String(on));

  function problem(sentence) {
    byId("problem").hidden = !sentence;
    byId("problem").textContent = sentence && sentence[0].toUpperCase() + sentence.slice(1) + (sentence.endsWith("?") ? "" : ".");
  }

  // Controls

  const parts = new Map(
    [...document.querySelectorAll(".slider")].map((box) => [
      box.dataset.name,
      { box, input: box.querySelector("input"), output: box.querySelector(".value"), undo: box.querySelector(".undo"), now: box.querySelector(".now") },
    ]),
  );

  function nearest(slider, place) {
    let best = 0;
    slider.places.forEach((at, index) => {
      if (Math.abs(at - place) < Math.abs(slider.places[best] - place)) best = index;
    });
    return best;
  }

  function placeOf(slider, value) {
    const exact = slider.values.indexOf(value);
    if (exact >= 0) return slider.places[exact];
    const above = slider.values.findIndex((other) => other > value);
    const [a, b] = [slider.values[above - 1], slider.values[above]];
    return slider.places[above - 1] + ((value - a) / (b - a)) * (slider.places[above] - slider.places[above - 1]);
  }

  // Puts every control to what the state says; `answer` tells where untouched parameters lie.
  function control(answer) {
    for (const name of CHOICES) {
      byId(name).value = state[name];
      byId(`${name}-about`).textContent = byId(name).selectedOptions[0].dataset.about;
    }
    for (const radio of document.querySelectorAll("[name=show]")) radio.checked = radio.value === state.show;
    for (const [name, { box, input, output, undo, now }] of parts) {
      const slider = sliders.get(name);
      const held = state.fixed.has(name);
      const lies = answer.now.sliders[name];
      box.classList.toggle("fixed", held);
      undo.hidden = !held;
      if (held) {
        const index = nearest(slider, placeOf(slider, state.fixed.get(name)));
        input.value = index;
        const value = state.fixed.get(name);
        const between = answer.state.fixed[name] === value ? lies.words : String(value); // of a link, not of the track
        const words = slider.values[index] === value ? slider.words[index] : between;
        output.textContent = words;
        input.setAttribute("aria-valuetext", `${words}, fixed`);
      } else {
        input.value = nearest(slider, lies.places[1]);
        output.textContent = lies.words;
        input.setAttribute("aria-valuetext", `${lies.words}, not fixed`);
        const was = answer.reference.sliders[name].places;
        const moved = lies.places.some((place, k) => Math.abs(place - was[k]) > 0.7);
        now.setAttribute("x", lies.places[0]);
        now.setAttribute("width", moved ? Math.max(lies.places[2] - lies.places[0], 0.5) : 0);
      }
    }
    const set = query(state).length > 0;
    byId("reset").disabled = !set;
    byId("said").textContent = set ? `With ${said().join(" · ")}` : "The run as it is: nothing is fixed.";
  }

  function said() {
    const chosen = CHOICES.filter((name) => state[name] !== START[name]).map(
      (name) => `${name === "form" ? "equations" : name} ${byId(name).selectedOptions[0].textContent}`,
    );
    const held = [...sliders.values()].filter(({ name }) => state.fixed.has(name));
    return [...chosen, ...held.map(({ name, label }) => `${label}: ${parts.get(name).output.textContent}`)];
  }

  let last = setup.start; // the answer on the page

  for (const [name, { input, undo }] of parts) {
    const slider = sliders.get(name);
    input.addEventListener("input", () => {
      state.fixed.set(name, slider.values[Number(input.value)]);
      control(last);
      ask();
    });
    undo.addEventListener("click", () => {
      state.fixed.delete(name);
      control(last);
      input.focus();
      ask();
    });
  }
  for (const button of document.querySelectorAll(".ask")) {
    button.addEventListener("click", () => {
      const box = byId(button.getAttribute("aria-controls"));
      box.hidden = !box.hidden;
      button.setAttribute("aria-expanded", String(!box.hidden));
    });
  }
  for (const name of CHOICES) {
    byId(name).addEventListener("change", () => {
      state[name] = byId(name).value;
      control(last);
      ask();
    });
  }
  for (const radio of document.querySelectorAll("[name=show]")) {
    radio.addEventListener("change", () => {
      state.show = radio.value;
      show(last);
      history.replaceState(null, "", link(state) || location.pathname);
    });
  }
  byId("controls").addEventListener("submit", (event) => event.preventDefault());
  byId("reset").addEventListener("click", () => {
    state = { ...untouched(), show: state.show };
    control(last);
    byId("scenario").focus();
    ask();
  });
  byId("copy").addEventListener("click", async () => {
    const address = location.origin + location.pathname + link(state);
    try {
      await navigator.clipboard.writeText(address);
      byId("copied").textContent = "Copied: it works while forecast serve runs on this machine.";
    } catch {
      byId("copied").textContent = address;
    }
  });
  window.addEventListener("hashchange", open);

  // Opens what the address says
  function open() {
    let fault = "";
    try {
      state = read(location.hash);
    } catch (error) {
      state = untouched();
      fault = `This link cannot be opened: ${error.message}; shown is the run as it is`;
    }
    if (query(state).length) {
      control(last);
      ask();
      return;
    }
    [shown, wanted] = [asked, false]; // what is on its way belongs to another state
    show(setup.start);
    settle();
    problem(fault);
  }

  // Showing an answer

  function show(answer) {
    last = answer;
    const { now, reference } = answer;
    const moved = query(state).length > 0;
    byId("live").textContent = now.live;
    control(answer);
    cards(now.cards, moved ? reference.cards : []);
    note(byId("note"), now.note);
    note(byId("fan-note"), now.fan.note);
    fan(now.fan, moved ? reference.fan : null);
    lengths(now.lengths, moved ? reference.lengths : null);
    paragraphs(byId("sentences"), now.sentences);
    paragraphs(byId("sentences-reference"), reference.sentences);
    for (const element of document.querySelectorAll(".reference")) element.hidden = !moved;
    byId("now-title").hidden = !moved;
    table(now.fan);
    const text = answer.query;
    byId("csv").href = `/numbers.csv?${text}`;
    byId("json").href = `/numbers.json?${text}`;
    byId("copied").textContent = "";
  }

  function note(element, text) {
    element.hidden = !text;
    element.textContent = text;
  }

  const element = (name, text, cls) => Object.assign(document.createElement(name), { textContent: text ?? "", className: cls ?? "" });
  const paragraphs = (box, sentences) => box.replaceChildren(...sentences.map((sentence) => element("p", sentence)));

  function cards(now, before) {
    byId("cards").replaceChildren(
      ...now.map((card, index) => {
        const box = element("div", "", "card");
        const big = element("dd", card.big, "big");
        if (card.unit) big.append(" ", element("span", card.unit));
        box.append(element("dt", card.title), big);
        for (const text of [card.range, card.note]) if (text) box.append(element("dd", text));
        const was = before[index];
        if (was) box.append(element("dd", `run as it is: ${was.big}${was.unit ? ` ${was.unit}` : ""}`, "was"));
        return box;
      }),
    );
  }

  function table(of) {
    byId("rows").replaceChildren(
      ...of.years.map((year, index) => {
        const [low, median, high] = of.words[state.show][index];
        const row = element("tr");
        const head = element("th", String(year));
        head.scope = "row";
        row.append(head, ...[median, low, high].map((words) => element("td", words, "n")));
        return row;
      }),
    );
  }

  // Figures: SVG by hand, in pixels of the screen

  function svg(name, attributes, text) {
    const made = document.createElementNS("http://www.w3.org/2000/svg", name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    if (text !== undefined) made.textContent = text;
    return made;
  }

  const LEFT = 84, RIGHT = 14, TOP = 10, BOTTOM = 46;
  let drawn = null; // what the fan needs to answer the pointer

  function fan(of, before) {
    const box = byId("fan");
    const { width, height } = box.getBoundingClientRect();
    const [now, then] = [of.series[state.show], before && before.series[state.show]];
    const low = Math.floor(Math.min(...now.q05, ...(then ? then.q05 : [])));
    const high = Math.ceil(Math.max(...now.q95, ...(then ? then.q95 : [])));
    const [first, end] = [of.years[0], of.years[of.years.length - 1]];
    const x = (year) => LEFT + ((Math.min(Math.max(year, first), end) - first) / Math.max(end - first, 1)) * (width - LEFT - RIGHT);
    const y = (value) => TOP + ((high - value) / Math.max(high - low, 1)) * (height - TOP - BOTTOM);
    const points = (values) => values.map((value, index) => `${x(of.years[index]).toFixed(1)} ${y(value).toFixed(1)}`);
    const line = (values) => `M${points(values).join("L")}`;
    const band = (lower, upper) => `M${[...points(upper), ...points(lower).reverse()].join("L")}Z`;
    const every = high - low <= 5 ? 1 : high - low <= 20 ? 3 : 6;
    const made = svg("g", { class: of.own ? "" : "borrowed" });
    for (let k = Math.ceil(low / every) * every; k <= high; k += every) {
      made.append(svg("line", { class: "grid", x1: LEFT, x2: width - RIGHT, y1: y(k), y2: y(k) }));
      made.append(svg("text", { x: LEFT - 8, y: y(k) + 4, "text-anchor": "end" }, setup.decades[k]));
    }
    const step = Math.max(1, Math.ceil(((end - first) * 46) / Math.max(width - LEFT - RIGHT, 1)));
    for (let year = first; year <= end; year += step) {
      made.append(svg("text", { x: x(year), y: height - BOTTOM + 18, "text-anchor": "middle" }, year));
    }
    made.append(svg("path", { class: "outer", d: band(now.q05, now.q95) }), svg("path", { class: "inner", d: band(now.q25, now.q75) }));
    if (then) {
      made.append(svg("path", { class: "ref-edge", d: line(then.q05) }), svg("path", { class: "ref-edge", d: line(then.q95) }));
      made.append(svg("path", { class: "ref-line", d: line(then.q50) }));
    }
    made.append(svg("path", { class: "median", d: line(now.q50) }));
    made.append(...arrival(of.year_100, x, end, height));
    const cursor = svg("line", { class: "cursor", y1: TOP, y2: height - BOTTOM, x1: -9, x2: -9, visibility: "hidden" });
    made.append(cursor);
    box.setAttribute("viewBox", `0 0 ${width} ${height}`);
    box.setAttribute("aria-label", fanWords(of));
    box.replaceChildren(made);
    drawn = { of, x, cursor };
  }

  // Median and 90% interval of the year of full automation, below the axis
  function arrival([low, median, high], x, end, height) {
    if (low === null) return [];
    const y = height - 14;
    const made = [svg("line", { class: "arrival", x1: x(low), x2: x(high ?? end), y1: y, y2: y })];
    if (high === null) made.push(svg("path", { class: "arrival-dot", d: `M${x(end) + 2} ${y - 5}l8 5l-8 5z` }));
    if (median !== null) made.push(svg("circle", { class: "arrival-dot", cx: x(median), cy: y, r: 5 }));
    made.push(svg("text", { x: LEFT - 8, y: y + 4, "text-anchor": "end" }, "automation"));
    return made;
  }

  function fanWords(of) {
    const rows = of.words[state.show];
    const at = [0, Math.floor(rows.length / 2), rows.length - 1];
    const told = at.map((k) => `${of.years[k]}: ${rows[k][1]} (90% interval ${rows[k][0]} to ${rows[k][2]})`);
    return `Number of AIs by year, ${SERIES[state.show]}. ${told.join("; ")}. All years stand under Numbers by year.`;
  }

  byId("fan").addEventListener("pointermove", (event) => {
    const { of, x, cursor } = drawn;
    const at = event.clientX - byId("fan").getBoundingClientRect().left;
    const index = of.years.reduce((best, year, k) => (Math.abs(x(year) - at) < Math.abs(x(of.years[best]) - at) ? k : best), 0);
    const [low, median, high] = of.words[state.show][index];
    cursor.setAttribute("x1", x(of.years[index]));
    cursor.setAttribute("x2", x(of.years[index]));
    cursor.setAttribute("visibility", "visible");
    byId("hover").textContent = `${of.years[index]}: ${median} ${SERIES[state.show]}, 90% interval ${low} to ${high}`;
  });
  byId("fan").addEventListener("pointerleave", () => {
    drawn.cursor.setAttribute("visibility", "hidden");
    byId("hover").textContent = "";
  });

  function lengths(of, before) {
    const box = byId("lengths");
    box.toggleAttribute("hidden", !of);
    note(byId("lengths-note"), of ? "" : "These equations define no length from 20% to 100%.");
    byId("lengths-title").textContent = `Years from 20% to ${state.form === "kwa2026" ? "99" : "100"}%`;
    if (!of) return;
    const { width, height } = box.getBoundingClientRect();
    const [left, right] = [96, 48];
    const most = Math.max(0.25, ...of.shares, ...(before ? before.shares : []));
    const row = (height - 8) / of.shares.length;
    const long = (share) => Math.max((share / most) * (width - left - right), 0);
    const thick = Math.min(row * 0.5, 20);
    const made = of.labels.flatMap((label, k) => {
      const y = 4 + row * k + row / 2;
      const bars = [
        svg("text", { x: left - 8, y: y + 4, "text-anchor": "end" }, label),
        svg("rect", { class: "bar", x: left, y: y - thick / 2, width: long(of.shares[k]), height: thick, rx: 2 }),
        svg("text", { class: "value", x: left + long(Math.max(of.shares[k], before ? before.shares[k] : 0)) + 6, y: y + 4 }, of.words[k]),
      ];
      if (before) bars.push(svg("rect", { class: "bar-ref", x: left, y: y + thick / 2 + 1, width: long(before.shares[k]), height: 4 }));
      return bars;
    });
    box.setAttribute("viewBox", `0 0 ${width} ${height}`);
    box.setAttribute("aria-label", `${byId("lengths-title").textContent}, share of draws. ${of.labels.map((label, k) => `${label}: ${of.words[k]}`).join("; ")}.`);
    box.replaceChildren(...made);
  }

  let width = 0;
  new ResizeObserver(() => {
    if (byId("fan").getBoundingClientRect().width === width) return;
    width = byId("fan").getBoundingClientRect().width;
    show(last);
  }).observe(byId("fan"));

  open();
})();
