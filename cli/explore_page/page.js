// SPDX-License-Identifier: GPL-2.0-only
"use strict";

// The data of cli/explore_page.cc. A script is a list of indices into `lines`.
const data = JSON.parse(document.getElementById("data").textContent);
const graph = document.getElementById("graph");
const detail = document.getElementById("detail");
const chooser = document.getElementById("revision");
let revision;

// An element with attributes and children; strings become text.
function make(tag, attributes, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

function scriptText(script) {
  return script.map((line) => data.lines[line]).join("\n") + "\n";
}

function plural(count, noun) {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}

function stateName(index) {
  return revision.states[index].inodes.map((inode) => {
    const parts = [`iocachectr ${inode.iocachectr}`];
    if (inode.bit) parts.push("bit set");
    if (inode.fb !== "-") parts.push(`fb ${inode.fb} (${plural(inode.refs, "ref")})`);
    if (inode.rwsem !== "-") parts.push(`i_rwsem ${inode.rwsem}`);
    if (inode.waiters) parts.push(`${inode.waiters} waiting`);
    return (revision.states[index].inodes.length > 1 ? `${inode.name}: ` : "") + parts.join(", ");
  }).join("; ");
}

function inodeTable(inode) {
  const rows = [
    ["iocachectr", inode.iocachectr],
    ["FUSE_I_CACHE_IO_MODE", inode.bit ? "set" : "clear"],
    ["fb", inode.fb === "-" ? "none" : `${inode.fb}, ${plural(inode.refs, "reference")}`],
    ["asleep on direct_io_waitq", inode.waiters],
    ["i_rwsem", {"-": "free", "X": "exclusive"}[inode.rwsem] || `shared by ${inode.rwsem.slice(1)}`],
  ];
  return make("table", {"aria-label": `inode ${inode.name}`},
      ...rows.map(([name, value]) => make("tr", {}, make("th", {scope: "row"}, name),
          make("td", {}, String(value)))));
}

function mark(id, ...outgoing) {
  for (const element of graph.querySelectorAll(".selected, .out"))
    element.classList.remove("selected", "out");
  graph.querySelector(`#${id}`).classList.add("selected");
  for (const edge of outgoing) graph.querySelector(`#e${edge}`).classList.add("out");
}

// Buttons that each show one way to take an edge.
function operationButtons(edges) {
  const list = make("div", {class: "list"});
  for (const index of edges) {
    for (const [way, operation] of revision.edges[index].operations.entries()) {
      const button = make("button", {type: "button", "data-edge": index, "data-way": way},
          operation.text, make("br", {}), make("small", {}, `to ${stateName(revision.edges[index].to)}`));
      button.addEventListener("click", () => showEdge(index, way));
      list.append(button);
    }
  }
  return list;
}

function showState(index) {
  const state = revision.states[index];
  const outgoing = [...revision.edges.keys()].filter((edge) => revision.edges[edge].from === index);
  mark(`s${index}`, ...outgoing);
  moveTabStop(index);
  detail.replaceChildren(
      make("h2", {}, "State"),
      ...state.inodes.map(inodeTable),
      make("p", {}, `Seen in ${plural(state.members, "op-level state")}. A shortest script into it:`),
      make("pre", {tabindex: 0, "aria-label": "script"}, scriptText(state.script)),
      make("h2", {}, "Operations from here"), operationButtons(outgoing));
}

function showEdge(index, way) {
  const edge = revision.edges[index];
  const operation = edge.operations[way];
  mark(`e${index}`);
  const from = make("button", {type: "button"}, stateName(edge.from));
  from.addEventListener("click", () => showState(edge.from));
  const to = make("button", {type: "button"}, stateName(edge.to));
  to.addEventListener("click", () => showState(edge.to));
  const list = operationButtons([index]);
  list.children[way].setAttribute("aria-pressed", "true");
  const hadFocus = detail.contains(document.activeElement);
  detail.replaceChildren(
      make("h2", {}, "Edge"), make("p", {}, make("code", {}, operation.text)),
      make("p", {}, "from ", from), make("p", {}, "to ", to),
      make("p", {}, `${plural(operation.members, "op-level edge")}. A shortest script that takes it:`),
      make("pre", {tabindex: 0, "aria-label": "script"}, scriptText(operation.script)),
      make("h2", {}, "Ways to take it"), list);
  if (hadFocus) list.children[way].focus();
}

function showFindings() {
  const list = document.getElementById("findings");
  if (revision.findings.length === 0) {
    list.replaceChildren(make("p", {}, "None within these bounds."));
    return;
  }
  list.replaceChildren(...revision.findings.map((finding) => {
    const go = make("button", {type: "button"}, `Show the state: ${stateName(finding.state)}`);
    go.addEventListener("click", () => showState(finding.state));
    return make("details", {open: ""}, make("summary", {}, finding.kind),
        make("pre", {tabindex: 0, "aria-label": "script"}, scriptText(finding.script)), go);
  }));
}

// Only one state is a stop of the Tab key; arrow keys go on from there.
function moveTabStop(index) {
  for (const state of graph.querySelectorAll(".state"))
    state.setAttribute("tabindex", state.id === `s${index}` ? 0 : -1);
}

function centre(element) {
  const box = element.getBoundingClientRect();
  return {x: box.x + box.width / 2, y: box.y + box.height / 2};
}

// The state that is nearest in the direction of an arrow key; askew counts double.
function neighbour(from, key) {
  const [dx, dy] = {ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1]}[key];
  const origin = centre(from);
  let best = null;
  let least = Infinity;
  for (const state of graph.querySelectorAll(".state")) {
    const at = centre(state);
    const along = (at.x - origin.x) * dx + (at.y - origin.y) * dy;
    const askew = Math.abs((at.x - origin.x) * dy) + Math.abs((at.y - origin.y) * dx);
    if (along > 1 && along + 2 * askew < least) {
      least = along + 2 * askew;
      best = state;
    }
  }
  return best;
}

graph.addEventListener("keydown", (event) => {
  const state = event.target.closest(".state");
  if (!state) return;
  if (event.key === "Enter" || event.key === " ") {
    showState(Number(state.id.slice(1)));
  } else if (event.key.startsWith("Arrow")) {
    const next = neighbour(state, event.key);
    if (next) {
      moveTabStop(Number(next.id.slice(1)));
      next.focus();
    }
  } else {
    return;
  }
  event.preventDefault();
});

graph.addEventListener("click", (event) => {
  const state = event.target.closest(".state");
  const edge = event.target.closest(".edge");
  if (state) showState(Number(state.id.slice(1)));
  if (edge) showEdge(Number(edge.id.slice(1)), 0);
});

// Makes Graphviz's drawing one to work with: names for a screen reader, wide lines to hit.
function prepareDrawing() {
  graph.innerHTML = revision.svg;
  for (const title of graph.querySelectorAll("title")) title.remove();
  for (const [index, state] of revision.states.entries()) {
    const node = graph.querySelector(`#s${index}`);
    node.classList.add("state");
    node.setAttribute("role", "button");
    node.setAttribute("aria-label", stateName(index));
    if (revision.findings.some((finding) => finding.state === index)) node.classList.add("found");
    if (state.members === 0) node.remove();
  }
  for (const edge of graph.querySelectorAll(".edge")) {
    const hit = edge.querySelector("path").cloneNode();
    hit.setAttribute("class", "hit");
    edge.append(hit);
  }
}

function showRevision(name) {
  revision = data.revisions.find((candidate) => candidate.name === name);
  document.getElementById("counts").textContent =
      `${revision.title}. ${revision.counts}; drawn as ${plural(revision.states.length, "kernel state")}.`;
  prepareDrawing();
  showFindings();
  showState(0);
}

for (const {name} of data.revisions) chooser.append(make("option", {value: name}, name));
chooser.addEventListener("change", () => showRevision(chooser.value));
chooser.value = data.revisions[data.revisions.length - 1].name;
showRevision(chooser.value);
