// The reader's page of a shared copy: copies instead of downloading, and lets answers arrive again as they did.

import { Canvas, decorate } from "../answer/draw.js"

const said = document.getElementById("share-said")

// --- Copy: the same addresses as without scripts, but the text goes to the clipboard

async function copy(link) {
  const response = await fetch(link.href, { credentials: "same-origin" })
  if (!response.ok) throw new Error(`HTTP ${response.status}`)
  await navigator.clipboard.writeText(await response.text())
  said.textContent = `Copied: ${link.textContent.trim()}`
  const words = link.closest("details").querySelector("summary")
  words.dataset.said = "Copied"
  setTimeout(() => delete words.dataset.said, 1500)
}

document.addEventListener("click", (event) => {
  const link = event.target instanceof Element ? event.target.closest("a[data-copy]") : null
  if (!link || !navigator.clipboard) return
  event.preventDefault()
  copy(link).catch(() => { location.assign(link.href) })
})

// --- Replay

const words = (ms) => (ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(2)} s`)

class Replay {
  constructor(turn) {
    this.turn = turn
    this.button = turn.querySelector("[data-play]")
    this.speed = turn.querySelector("[data-speed]")
    this.where = turn.querySelector("[data-where]")
    this.canvas = new Canvas(turn)
    this.button.hidden = this.speed.hidden = false
    this.button.addEventListener("click", () => (this.isPlaying ? this.end() : this.play()))
    this.speed.addEventListener("change", () => this.measure())
  }

  async play() {
    this.button.disabled = true
    this.frames ??= (await (await fetch(this.turn.dataset.replay, { credentials: "same-origin" })).json()).frames
    this.button.disabled = false
    this.whole ??= [...this.canvas.blocks.childNodes]
    this.canvas.blocks.style.minBlockSize = `${this.canvas.blocks.offsetHeight}px` // what follows stays where it is
    this.canvas.clear()
    this.next = this.at = 0
    this.isPlaying = true
    this.button.lastChild.textContent = " Show all"
    this.button.firstElementChild.setAttribute("hidden", "")
    this.turn.dataset.state = "playing"
    this.measure()
    this.step()
  }

  /** From here on time passes at the speed that is chosen now. */
  measure() {
    this.began = performance.now()
    this.from = this.at ?? 0
  }

  step() {
    if (!this.isPlaying) return
    this.at = this.from + (performance.now() - this.began) * Number(this.speed.value)
    while (this.next < this.frames.length && this.frames[this.next].at <= this.at) this.draw(this.frames[this.next++])
    this.where.textContent = words(this.at)
    if (this.next >= this.frames.length) return this.end()
    requestAnimationFrame(() => this.step())
  }

  draw(frame) {
    this.canvas.apply(frame.draw)
    this.turn.dispatchEvent(new CustomEvent("replay:frame", { bubbles: true, detail: { at: frame.at, now: this.at } }))
  }

  /** Put back the page as the server wrote it. */
  end() {
    this.isPlaying = false
    this.canvas.clear()
    this.canvas.blocks.append(...this.whole)
    this.where.textContent = words(this.frames.at(-1)?.at ?? 0)
    this.button.lastChild.textContent = " Replay"
    this.button.firstElementChild.removeAttribute("hidden")
    this.canvas.blocks.style.minBlockSize = ""
    this.turn.dataset.state = "whole"
  }
}

for (const turn of document.querySelectorAll("[data-replay]")) new Replay(turn)
decorate(document)
