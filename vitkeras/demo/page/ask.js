// Questions to the program behind the page. The newest one counts: an answer to an older one is dropped.
import { say } from "./words.js";

const numbers = {};

/** The answer; null if there is none, and the page says why; undefined if a newer question has been asked meanwhile. */
export async function ask(question, told) {
  const number = (numbers[question] = (numbers[question] ?? 0) + 1);
  const { answer, trouble } = await fetched(question, told);
  if (number !== numbers[question]) return undefined;
  tell(trouble);
  return answer;
}

async function fetched(question, told) {
  let answer;
  try {
    const reply = await fetch(`/gradio_api/run/${question}`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ data: [told] }),
    });
    if (!reply.ok) return { answer: null, trouble: say("broken") };
    answer = (await reply.json()).data[0];
  } catch {
    return { answer: null, trouble: say("gone") };
  }
  return "problem" in answer ? { answer: null, trouble: say("problem", answer.problem) } : { answer, trouble: "" };
}

export function tell(trouble) {
  const place = document.getElementById("trouble");
  place.textContent = trouble;
  place.hidden = !trouble;
}

/** Bytes as text, and back. */
export function toText(bytes) {
  let text = "";
  for (let at = 0; at < bytes.length; at += 0x8000) text += String.fromCharCode(...bytes.subarray(at, at + 0x8000));
  return btoa(text);
}

export function toBytes(text) {
  return Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
}

/** What the program sends as a picture, as a canvas of its size. */
export function toCanvas({ width, height, rgb }) {
  const canvas = Object.assign(document.createElement("canvas"), { width, height });
  const image = new ImageData(width, height);
  const bytes = toBytes(rgb);
  for (let pixel = 0; pixel < width * height; pixel++) {
    image.data.set(bytes.subarray(3 * pixel, 3 * pixel + 3), 4 * pixel);
    image.data[4 * pixel + 3] = 255;
  }
  canvas.getContext("2d").putImageData(image, 0, 0);
  return canvas;
}
