// Plays a run again from its stored times, or stands still at one of its events.

import { Canvas, decorate } from "./draw.js"
import { fetchPart } from "../lib/fragment.js"

const mostFrames = 20_000 // events of a run that is played from frames fetched all at once
const askEvery = 120 // ms, while a longer one plays
const busyAfter = 400 // ms

/** The answer as it stood: fetched as what changed since the place before, or drawn step by step while it plays. */
export class Playback {
  #frames = null
  #next = 0
  #canvas = null
  #heading = null
  #place = "" // what of the answer is drawn, in the server's own words
  #isPlayedFromFrames = false
  #request = 0
  #asked = 0
  #isAsking = false

  /** `told(number, ms)` hears where the playback is. */
  constructor(panel, answer, wire, told) {
    this.panel = panel
    this.answer = answer
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
    const busy = setTimeout(() => this.#say("Loading…"), busyAfter)
    try {
      for (let at = -1; at !== this.#asked && !this.#isPlayedFromFrames; ) {
        at = this.#asked
        const canvas = this.#canvas
        const told = await this.#fetch(at)
        if (told && canvas === this.#canvas) this.#show(told, at)
        else at = -1 // asked for patience, or what was drawn is gone: once more
        if (this.isPlaying) await pause(askEvery)
      }
    } catch {
      this.#place = ""
      this.#say("This could not be loaded.")
    } finally {
      clearTimeout(busy)
      this.answer.removeAttribute("aria-busy")
      this.#isAsking = false
    }
  }

  /** What changed up to this event; null when the server asks for patience. */
  async #fetch(number) {
    try {
      return JSON.parse(await fetchPart(`${this.panel.dataset.panel}at/${number}/?drawn=${this.#place}`))
    } catch (error) {
      if (error.status !== 429) throw error
      await pause(1_000)
      return null
    }
  }

  #show(told, number) {
    if (told.is_whole || !this.#canvas) this.#stage()
    this.#place = told.drawn
    this.#canvas.apply(told.draw)
    if (told.is_whole) decorate(this.answer)
    const words = Object.assign(document.createElement("span"), { className: "quiet small", textContent: `response after event ${number}` })
    this.#heading.replaceChildren(`At ${Math.round(told.ms).toLocaleString("en")} ms `, words)
    this.answer.removeAttribute("aria-busy")
  }

  #say(words) {
    this.answer.hidden = false
    this.answer.setAttribute("aria-busy", "true")
    if (!this.#canvas) return (this.answer.textContent = words)
    this.#heading.textContent = words
  }

  async play() {
    if (this.isPlaying) return
    this.isPlaying = true
    if (this.ms >= this.wire.total) this.ms = 0
    if (this.wire.count <= mostFrames) await this.#prepare()
    let last = performance.now()
    const step = (now) => {
      if (!this.isPlaying || !this.answer.isConnected) return
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
    this.isPlaying = this.#isPlayedFromFrames = false
    cancelAnimationFrame(this.#request)
    this.told(this.wire.numberAt(this.ms), this.ms)
  }

  async #prepare() {
    this.#isPlayedFromFrames = true
    if (!this.#frames) this.#say("Loading…")
    this.#frames ??= JSON.parse(await fetchPart(`${this.panel.dataset.panel}frames/`)).frames
    this.answer.removeAttribute("aria-busy")
    this.#stage()
    this.#next = 0
  }

  /** Make room for an answer that is drawn from its beginning. */
  #stage() {
    this.answer.hidden = false
    this.#heading = Object.assign(document.createElement("h3"), { textContent: "As received" })
    const blocks = Object.assign(document.createElement("div"), { className: "blocks" })
    blocks.dataset.blocks = ""
    const ending = document.createElement("div")
    ending.dataset.ending = ""
    const figures = document.createElement("div")
    figures.dataset.figures = ""
    figures.hidden = true
    this.answer.replaceChildren(this.#heading, figures, blocks, ending)
    this.#canvas = new Canvas(this.answer)
    this.#place = ""
  }

  #drawUntil(ms) {
    if (!this.#isPlayedFromFrames) return this.standAt(this.wire.numberAt(ms))
    while (this.#next < this.#frames.length && this.#frames[this.#next].at <= ms) {
      this.#canvas.apply(this.#frames[this.#next++].draw.filter(({ op }) => op !== "figures" && op !== "ending"))
    }
  }
}

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms))
