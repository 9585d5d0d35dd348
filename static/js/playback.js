// Plays a run again from its stored times, or stands still at one of its events.

import { Canvas, decorate } from "./draw.js"
import { fetchPart, fill } from "./fragment.js"

const mostFrames = 20_000

/** The answer as it stood: fetched for one event, or drawn step by step while it plays. */
export class Playback {
  #frames = null
  #next = 0
  #canvas = null
  #request = 0
  #asked = 0
  #isAsking = false

  /** `told(number, ms)` hears where the playback is. */
  constructor(panel, stood, wire, told) {
    this.panel = panel
    this.stood = stood
    this.wire = wire
    this.told = told
    this.isPlaying = false
    this.speed = 1
    this.ms = 0
  }

  /** Show the answer as it stood after this event. Only the last of many quick calls is fetched. */
  async standAt(number) {
    this.#asked = number
    if (this.#isAsking || !this.panel.dataset.panel) return
    this.#isAsking = true
    try {
      for (let at = 0; at !== this.#asked; ) {
        at = this.#asked
        const html = await fetchPart(`${this.panel.dataset.panel}at/${at}/`)
        if (at === this.#asked && !this.isPlaying) this.#show(html)
      }
    } catch {
      this.stood.textContent = "This could not be fetched."
    } finally {
      this.#isAsking = false
    }
  }

  #show(html) {
    this.stood.hidden = false
    this.#canvas = null
    fill(this.stood, html)
    decorate(this.stood)
  }

  async play() {
    if (this.isPlaying) return
    this.isPlaying = true
    if (this.ms >= this.wire.total) this.ms = 0
    if (this.wire.count <= mostFrames) await this.#prepare()
    let last = performance.now()
    const step = (now) => {
      if (!this.isPlaying || !this.stood.isConnected) return
      this.ms = Math.min(this.wire.total, this.ms + (now - last) * this.speed)
      last = now
      this.#drawUntil(this.ms)
      this.told(this.wire.numberAt(this.ms), this.ms)
      if (this.ms >= this.wire.total) return this.pause()
      this.#request = requestAnimationFrame(step)
    }
    this.#request = requestAnimationFrame(step)
  }

  pause() {
    this.isPlaying = false
    cancelAnimationFrame(this.#request)
    this.told(this.wire.numberAt(this.ms), this.ms)
  }

  async #prepare() {
    this.#frames ??= JSON.parse(await fetchPart(`${this.panel.dataset.panel}frames/`)).frames
    this.stood.hidden = false
    const blocks = Object.assign(document.createElement("div"), { className: "blocks" })
    blocks.dataset.blocks = ""
    const ending = document.createElement("div")
    ending.dataset.ending = ""
    const figures = document.createElement("div")
    figures.dataset.figures = ""
    figures.hidden = true
    this.stood.replaceChildren(figures, blocks, ending)
    this.#canvas = new Canvas(this.stood)
    this.#next = 0
  }

  #drawUntil(ms) {
    if (!this.#canvas) return this.standAt(this.wire.numberAt(ms))
    while (this.#next < this.#frames.length && this.#frames[this.#next].at <= ms) {
      this.#canvas.apply(this.#frames[this.#next++].draw.filter(({ op }) => op !== "figures" && op !== "ending"))
    }
  }
}
