// Two shapes, placed by hand, and three models that say whether they are of one kind.
import { ask, toCanvas } from "./ask.js";
import { Looker } from "./looker.js";
import { ARROWS, placeOn, within } from "./pointer.js";
import { page, percent, say } from "./words.js";

const SIZE = 96; // pixels of the picture's side
const KINDS = ["circle", "triangle", "square", "cross"];
const STEP = 2; // by keyboard
const SLIDERS = { size: ["area", 110, 720], turn: ["turn", 0, 360] };

export function pair(section) {
  const [stage, contrast, noise, models, truth, agreement] = ["#stage", "#contrast", "#noise", "tbody", "#truth", "#agreement"].map((what) => section.querySelector(what));
  const pencil = stage.getContext("2d");
  const looker = new Looker(section.querySelector(".looker"));
  const both = [
    { kind: "circle", x: 30, y: 34, area: 400, turn: 0 },
    { kind: "square", x: 66, y: 62, area: 400, turn: 20 },
  ];
  let chosen = 0;
  let grip = null; // where in the shape the pointer holds it
  let chance = 1;
  let answer = null;
  let asking = false;
  let again = false;

  /** One question at a time: while a shape is dragged, what has come in between is left out. */
  async function asked() {
    if (asking) return void (again = true);
    asking = true;
    do {
      again = false;
      const told = { both, contrast: Number(contrast.value), noise: Number(noise.value), chance, looks: !grip };
      answer = (await ask("pair", told)) ?? answer;
      show();
    } while (again);
    asking = false;
  }

  function show() {
    pencil.clearRect(0, 0, stage.width, stage.height);
    if (!answer) return;
    pencil.imageSmoothingEnabled = false;
    pencil.drawImage(toCanvas(answer.picture), 0, 0, stage.width, stage.height);
    if (document.activeElement === stage || grip) {
      const scale = stage.width / SIZE;
      const reach = 1.05 * Math.sqrt(both[chosen].area);
      Object.assign(pencil, { strokeStyle: "#ff4f9a", lineWidth: 2 });
      pencil.strokeRect((both[chosen].x - reach) * scale, (both[chosen].y - reach) * scale, 2 * reach * scale, 2 * reach * scale);
    }
    sayVerdicts();
    const vit = answer.models.find(({ model }) => model === "shapes_vit");
    if (vit.attention) looker.show(vit);
  }

  function sayVerdicts() {
    if (!answer) return;
    truth.textContent = say(answer.same ? "truth-same" : "truth-different");
    const said = answer.models.map(({ guesses }) => guesses[0].name === "same");
    const right = said.filter((same) => same === answer.same).length;
    agreement.textContent = say(right === said.length ? "agree" : right ? "disagree" : "agree-wrong");
    models.replaceChildren(...answer.models.map(({ model, guesses }) => row(model, guesses[0], answer.same)));
  }

  const place = (event) => placeOn(stage, event, SIZE, SIZE);

  function move(x, y) {
    Object.assign(both[chosen], { x: within(x, 0, SIZE), y: within(y, 0, SIZE) });
    asked();
  }

  stage.addEventListener("pointerdown", (event) => {
    if (event.button || !event.isPrimary) return;
    const [x, y] = place(event);
    const away = both.map((one) => Math.hypot(one.x - x, one.y - y));
    chosen = away[0] <= away[1] ? 0 : 1;
    stage.setPointerCapture(event.pointerId);
    grip = [both[chosen].x - x, both[chosen].y - y];
  });
  stage.addEventListener("pointermove", (event) => {
    if (!grip || !event.isPrimary) return;
    const [x, y] = place(event);
    move(x + grip[0], y + grip[1]);
  });
  stage.addEventListener("lostpointercapture", () => {
    grip = null;
    asked();
  });
  stage.addEventListener("keydown", (event) => {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    if (["1", "2"].includes(event.key)) chosen = Number(event.key) - 1;
    else if (ARROWS[event.key]) {
      const [right, down] = ARROWS[event.key];
      move(both[chosen].x + STEP * right, both[chosen].y + STEP * down);
    } else return;
    event.preventDefault();
    show();
  });
  for (const kind of ["focus", "blur"]) stage.addEventListener(kind, show);
  for (const slider of [contrast, noise]) slider.addEventListener("input", asked);

  function offer() {
    section.querySelector(".shapes").replaceChildren(...both.map((one, number) => settings(one, number, asked)));
  }

  section.querySelector("#shuffle").addEventListener("click", () => {
    chance = Math.floor(Math.random() * 2 ** 31);
    const between = (low, high) => low + Math.random() * (high - low);
    for (const [number, one] of both.entries()) {
      one.kind = KINDS[Math.floor(Math.random() * 3)];
      one.area = Math.round(between(250, 550));
      one.turn = Math.round(between(0, 360));
      // Each in a half of its own, where the largest is not cut and does not touch the other.
      [one.x, one.y] = [between(23, 73), number ? between(71, 73) : between(23, 25)];
    }
    if (Math.random() < 0.5) for (const one of both) [one.x, one.y] = [one.y, one.x];
    offer();
    asked();
  });
  page.addEventListener("language", () => {
    offer();
    sayVerdicts();
  });
  offer();
  looker.show(null);
  asked();
}

function row(name, guess, same) {
  const line = document.createElement("tr");
  const cells = [say(name), say(guess.name), percent(guess.probability)].map((text, column) => {
    const cell = document.createElement(column ? "td" : "th");
    if (!column) cell.scope = "row";
    cell.textContent = text;
    return cell;
  });
  const right = (guess.name === "same") === same;
  cells[1].className = right ? "right" : "wrong";
  cells[1].textContent = `${right ? "✓" : "✗"} ${cells[1].textContent}`;
  line.append(...cells);
  return line;
}

/** What can be set about one shape. */
function settings(one, number, changed) {
  const frame = document.createElement("fieldset");
  const legend = frame.appendChild(document.createElement("legend"));
  legend.textContent = say("shape", number + 1);
  const kind = document.createElement("select");
  kind.append(...KINDS.map((name) => new Option(say(name), name)));
  kind.value = one.kind;
  kind.addEventListener("input", () => {
    one.kind = kind.value;
    changed();
  });
  frame.append(labelled("kind", kind, number));
  for (const [name, [property, least, most]] of Object.entries(SLIDERS)) {
    const slider = Object.assign(document.createElement("input"), { type: "range", min: least, max: most });
    slider.value = one[property];
    slider.addEventListener("input", () => {
      one[property] = Number(slider.value);
      changed();
    });
    frame.append(labelled(name, slider, number));
  }
  return frame;
}

function labelled(name, control, number) {
  const line = Object.assign(document.createElement("p"), { className: "slider" });
  const label = line.appendChild(document.createElement("label"));
  label.textContent = say(name);
  label.htmlFor = control.id = `${name}-${number + 1}`;
  line.append(control);
  return line;
}
