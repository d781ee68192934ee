// A digit: drawn with mouse, finger or keyboard, and asked about at the end of every stroke.
import { ask, tell, toText } from "./ask.js";
import { Guesses } from "./guesses.js";
import { Looker } from "./looker.js";
import { ARROWS, placeOn, within } from "./pointer.js";

const SENT = 112; // pixels of a side that the program gets: four times what the model sees
const STEP = 10; // of the pen, by keyboard

export function digit(section) {
  const pad = section.querySelector("#pad");
  const pencil = pad.getContext("2d", { willReadFrequently: true });
  const guesses = new Guesses(section.querySelector(".guesses"), "digits_only");
  const looker = new Looker(section.querySelector(".looker"));
  const pen = { x: pad.width / 2, y: pad.height / 2, down: false, shown: false };
  let strokes = []; // each a list of points
  let stroke = null; // the one that is being drawn

  function draw() {
    pencil.fillStyle = "#000";
    pencil.fillRect(0, 0, pad.width, pad.height);
    Object.assign(pencil, { strokeStyle: "#fff", lineWidth: pad.width / 13, lineCap: "round", lineJoin: "round" });
    for (const points of strokes) {
      dot(...points[0]); // a line without length would not be seen
      pencil.beginPath();
      pencil.moveTo(...points[0]);
      for (const point of points) pencil.lineTo(...point);
      pencil.stroke();
    }
  }

  function dot(x, y) {
    pencil.fillStyle = "#fff";
    pencil.beginPath();
    pencil.arc(x, y, pencil.lineWidth / 2, 0, 2 * Math.PI);
    pencil.fill();
  }

  function drawPen() {
    draw();
    if (!pen.shown) return;
    pencil.beginPath();
    pencil.arc(pen.x, pen.y, 8, 0, 2 * Math.PI);
    Object.assign(pencil, { strokeStyle: pen.down ? "#ff4f9a" : "#7cc4f5", lineWidth: 3 });
    pencil.stroke();
  }

  async function asked() {
    draw();
    const small = Object.assign(document.createElement("canvas"), { width: SENT, height: SENT }).getContext("2d");
    small.imageSmoothingQuality = "high";
    small.drawImage(pad, 0, 0, SENT, SENT);
    drawPen();
    if (!strokes.length) return show(null);
    const grey = small.getImageData(0, 0, SENT, SENT).data.filter((_, place) => place % 4 === 0);
    const answer = await ask("digit", { pixels: toText(grey), side: SENT });
    if (answer && strokes.length) show(answer);
  }

  function show(answer) {
    guesses.show(answer);
    looker.show(answer);
  }

  const place = (event) => placeOn(pad, event, pad.width, pad.height);

  pad.addEventListener("pointerdown", (event) => {
    if (event.button || !event.isPrimary) return; // of several fingers, the first draws
    pad.setPointerCapture(event.pointerId);
    Object.assign(pen, { down: false, shown: false });
    strokes.push((stroke = [place(event)]));
    draw();
  });
  pad.addEventListener("pointermove", (event) => {
    if (!stroke || !event.isPrimary) return;
    for (const part of event.getCoalescedEvents?.() ?? [event]) stroke.push(place(part));
    draw();
  });
  pad.addEventListener("lostpointercapture", () => {
    stroke = null;
    asked();
  });

  pad.addEventListener("keydown", (event) => {
    if (event.altKey || event.ctrlKey || event.metaKey || stroke) return;
    pen.shown = true;
    if (event.key === " ") {
      if (event.repeat) return event.preventDefault(); // held down, it would go up and down
      pen.down = !pen.down;
      if (pen.down) strokes.push((pen.line = [[pen.x, pen.y]]));
      else asked();
    } else if (ARROWS[event.key]) {
      const [right, down] = ARROWS[event.key];
      pen.x = within(pen.x + STEP * right, 0, pad.width);
      pen.y = within(pen.y + STEP * down, 0, pad.height);
      if (pen.down) pen.line.push([pen.x, pen.y]);
    } else return;
    event.preventDefault();
    drawPen();
  });
  pad.addEventListener("blur", () => {
    if (pen.down) asked();
    Object.assign(pen, { down: false, shown: false });
    draw();
  });

  section.querySelector("#undo").addEventListener("click", () => {
    strokes.pop();
    tell("");
    asked();
  });
  section.querySelector("#clear").addEventListener("click", () => {
    strokes = [];
    tell("");
    asked();
  });
  asked();
}
