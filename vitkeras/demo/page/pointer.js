// Where on a canvas a pointer is, and where an arrow key leads.
export const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }; // to the right, down

/** From the upper left corner to the right and down; the canvas is `width` wide and `height` high. */
export function placeOn(canvas, event, width, height) {
  const box = canvas.getBoundingClientRect();
  return [((event.clientX - box.left) / box.width) * width, ((event.clientY - box.top) / box.height) * height];
}

export const within = (value, least, most) => Math.min(Math.max(value, least), most);
