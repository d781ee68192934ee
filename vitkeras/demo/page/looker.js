// The picture as a model sees it, and what each patch attends to: it lights up over the picture.
import { toBytes, toCanvas } from "./ask.js";
import { ARROWS, placeOn, within } from "./pointer.js";
import { page, percent, say } from "./words.js";

const SIDE = 448; // pixels of the canvas
const FULL = 65535; // what a weight of 1 is sent as
const TOLD = 3; // patches that are named

export class Looker {
  constructor(root) {
    root.innerHTML = `
      <h2></h2>
      <p class="row" hidden>
        <label><span></span> <select class="layer"></select></label>
        <label><span></span> <select class="head"></select></label>
      </p>
      <canvas class="square" width="${SIDE}" height="${SIDE}" tabindex="0" role="application"></canvas>
      <p class="legend" hidden><span></span><i></i><span></span></p>
      <p class="what" role="status"></p>
      <p class="hint"></p>`;
    const find = (what) => root.querySelector(what);
    [this.heading, this.canvas, this.choices, this.legend] = ["h2", "canvas", ".row", ".legend"].map(find);
    [this.layer, this.head, this.what, this.hint] = [".layer", ".head", ".what", ".hint"].map(find);
    this.hint.id = `hint-${root.parentElement.id}`;
    this.canvas.setAttribute("aria-describedby", this.hint.id);
    this.pencil = this.canvas.getContext("2d");
    this.answer = null; // what is shown
    this.chosen = this.pointed = null; // patches
    this.listen();
    page.addEventListener("language", () => this.sayAll());
  }

  listen() {
    this.layer.addEventListener("change", () => this.offerHeads());
    this.head.addEventListener("change", () => this.draw());
    this.canvas.addEventListener("pointermove", (event) => this.point(this.patchAt(event)));
    this.canvas.addEventListener("pointerleave", () => this.point(null));
    this.canvas.addEventListener("click", (event) => {
      const patch = this.patchAt(event);
      this.choose(patch === this.chosen ? null : patch);
    });
    this.canvas.addEventListener("keydown", (event) => {
      if (!this.looks) return;
      if (event.key === "Escape") this.choose(null);
      else if (ARROWS[event.key] && !event.altKey) this.choose(this.beside(ARROWS[event.key]));
      else return;
      event.preventDefault();
    });
  }

  /** What the program has told of one model and one picture; null: nothing yet. */
  show(answer) {
    const before = this.looks?.grid.join();
    this.answer = answer;
    this.picture = answer && toCanvas(answer.seen);
    this.looks = answer?.attention ?? null;
    if (this.looks?.grid.join() !== before) this.chosen = this.pointed = null;
    if (this.looks) {
      const decoded = ({ heads, weights }) => ({ heads, weights: new Uint16Array(toBytes(weights).buffer) });
      this.decoded = { ...this.looks.layers.map(decoded), rollout: decoded({ heads: 1, weights: this.looks.rollout }) };
    }
    this.sayAll();
  }

  sayAll() {
    this.heading.textContent = this.answer ? say("looks-of", say(this.answer.model) || this.answer.model) : say("looks");
    this.choices.hidden = this.legend.hidden = !this.looks;
    this.hint.textContent = this.looks ? say("looks-hint") : "";
    const [layerLabel, headLabel] = this.choices.querySelectorAll("span");
    [layerLabel.textContent, headLabel.textContent] = [say("layer"), say("head")];
    if (this.looks) {
      this.canvas.setAttribute("aria-label", say("seen", ...this.looks.grid));
      const numbered = this.looks.layers.map((_, number) => [number, number + 1]);
      offer(this.layer, [...numbered, ["rollout", say("rollout")]]);
      this.offerHeads();
    } else {
      this.canvas.setAttribute("aria-label", say(this.answer ? "no-attention" : "nothing"));
      this.draw();
    }
  }

  offerHeads() {
    const { heads } = this.decoded[this.layer.value];
    offer(this.head, [["mean", say("mean")], ...Array.from({ length: heads }, (_, number) => [number, number + 1])]);
    this.head.disabled = heads === 1;
    this.draw();
  }

  patchAt(event) {
    if (!this.looks) return null;
    const [rows, columns] = this.looks.grid;
    const [column, row] = placeOn(this.canvas, event, columns, rows).map(Math.floor);
    return within(row, 0, rows - 1) * columns + within(column, 0, columns - 1);
  }

  beside([right, down]) {
    const [rows, columns] = this.looks.grid;
    if (this.chosen === null) return Math.floor(rows / 2) * columns + Math.floor(columns / 2);
    const row = within(Math.floor(this.chosen / columns) + down, 0, rows - 1);
    return row * columns + within((this.chosen % columns) + right, 0, columns - 1);
  }

  point(patch) {
    if (patch === this.pointed) return;
    this.pointed = patch;
    this.draw();
  }

  choose(patch) {
    this.chosen = patch;
    this.pointed = null;
    this.draw();
  }

  /** The share of each patch in what `from` attends to; null: in what all patches, or the class token, attend to. */
  shares(from) {
    const { heads, weights } = this.decoded[this.layer.value];
    const patches = this.looks.grid[0] * this.looks.grid[1];
    const before = this.looks.before;
    const tokens = patches + before;
    const asked = this.head.value === "mean" ? [...Array(heads).keys()] : [Number(this.head.value)];
    const everybody = before ? [0] : [...Array(tokens).keys()];
    const rows = from === null ? everybody : [before + from];
    const shares = new Float64Array(patches);
    for (const head of asked) {
      for (const row of rows) {
        const start = (head * tokens + row) * tokens + before;
        for (let patch = 0; patch < patches; patch++) shares[patch] += weights[start + patch];
      }
    }
    return shares.map((share) => share / FULL / asked.length / rows.length);
  }

  draw() {
    const { pencil, picture } = this;
    pencil.clearRect(0, 0, SIDE, SIDE);
    if (!picture) return this.tell("");
    pencil.imageSmoothingEnabled = picture.width > 64;
    pencil.drawImage(picture, 0, 0, SIDE, SIDE);
    if (!this.looks) return this.tell(say("no-attention"));
    const from = this.pointed ?? this.chosen;
    const shares = this.shares(from);
    const most = Math.max(...shares);
    for (const patch of shares.keys()) {
      const box = this.boxOf(patch);
      const light = most ? shares[patch] / most : 0;
      pencil.fillStyle = `rgb(0 0 0 / ${0.75 * (1 - light)})`;
      pencil.fillRect(...box);
      pencil.fillStyle = `rgb(255 210 63 / ${0.45 * light})`;
      pencil.fillRect(...box);
      pencil.strokeStyle = "rgb(128 128 128 / 0.6)";
      pencil.lineWidth = 1;
      pencil.strokeRect(...box);
    }
    if (from !== null) {
      const [x, y, width, height] = this.boxOf(from);
      Object.assign(pencil, { strokeStyle: "#ff4f9a", lineWidth: 4 });
      pencil.strokeRect(x + 2, y + 2, width - 4, height - 4);
    }
    const [least, top] = this.legend.querySelectorAll("span");
    [least.textContent, top.textContent] = [say("least"), say("most", percent(most))];
    this.tell(this.inWords(from, shares));
  }

  /** Where a patch is on the canvas: x, y, width and height. */
  boxOf(patch) {
    const [rows, columns] = this.looks.grid;
    const [row, column] = [Math.floor(patch / columns), patch % columns];
    return [(column * SIDE) / columns, (row * SIDE) / rows, SIDE / columns, SIDE / rows];
  }

  inWords(from, shares) {
    const columns = this.looks.grid[1];
    const where = (patch) => [Math.floor(patch / columns) + 1, (patch % columns) + 1];
    const order = [...shares.keys()].sort((one, other) => shares[other] - shares[one]);
    const named = order.slice(0, TOLD).map((patch) => say("place_", ...where(patch), percent(shares[patch]))).join(", ");
    return from === null ? say("overall", named) : say("from-patch", ...where(from), named);
  }

  tell(text) {
    if (this.what.textContent !== text) this.what.textContent = text;
  }
}

/** Fill a select with [value, text], and leave chosen what was chosen, if it is still there. */
function offer(select, choices) {
  const before = select.value;
  select.replaceChildren(...choices.map(([value, text]) => new Option(text, value)));
  if (choices.some(([value]) => String(value) === before)) select.value = before;
}
