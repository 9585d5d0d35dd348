// Plays the stream example: the same patches as a real run's, at the times they would come.

import { Canvas, decorate } from "./draw.js"
import { fetchPart } from "../lib/fragment.js"

const playing = new WeakMap()

export async function playExample(panel) {
  const calm = matchMedia("(prefers-reduced-motion: reduce)").matches
  if (calm) return
  const run = {}
  playing.set(panel, run)
  const { frames } = JSON.parse(await fetchPart(`${panel.dataset.panel}frames/`))
  if (playing.get(panel) !== run) return
  const canvas = new Canvas(panel)
  canvas.clear()
  panel.dataset.state = "running"
  const began = performance.now()
  let next = 0
  const step = () => {
    if (!panel.isConnected || playing.get(panel) !== run) return
    const now = performance.now() - began
    while (next < frames.length && frames[next].at <= now) canvas.apply(frames[next++].draw)
    const clock = panel.querySelector("[data-clock]")
    if (clock) clock.textContent = now < 1000 ? `${Math.round(now)} ms` : `${(now / 1000).toFixed(2)} s`
    if (next < frames.length) return requestAnimationFrame(step)
    panel.dataset.state = "completed"
    decorate(panel)
  }
  requestAnimationFrame(step)
}
