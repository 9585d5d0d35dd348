// The Events view: the wire of one run, windowed, filtered, played. Rows are made only for what is in sight.

import { fetchPart, fill } from "../lib/fragment.js"
import { drawLanes, moveCursor } from "./lanes.js"
import { Playback } from "./playback.js"
import { WireData } from "./wire-data.js"

const overviewEvery = 400 // ms
const spare = 12 // rows above and below what is in sight
const namespace = "http://www.w3.org/2000/svg"

export class EventsView {
  #hidden = new Set() // names that the filters leave out
  #shown = [] // positions of the events that pass
  #seen = 0 // how many events the filter has looked at
  #frame = 0
  #overviewAt = 0
  #overviewOf = -1 // how many events the overview shows
  #overviewTimer = 0
  #now = 0 // number of the chosen event
  #left = new AbortController()

  constructor(element, panel) {
    this.element = element
    this.panel = panel
    this.data = new WireData(panel.dataset.wire, JSON.parse(element.dataset.kinds))
    this.box = element.querySelector("[data-window]")
    this.rows = element.querySelector("[data-rows]")
    this.lanes = element.querySelector("[data-lanes]")
    this.filters = element.querySelector("[data-filters]")
    this.where = element.querySelector("[data-where]")
    this.position = element.querySelector("[data-position]")
    this.atEvent = element.querySelector("[data-at-event]")
    this.playButton = element.querySelector("[data-play]")
    this.playback = new Playback(panel, this.atEvent.querySelector("[data-at-event-answer]"), this.data, (number, ms) => this.#onPlayed(number, ms))
    this.isVisible = false
    this.#listen()
  }

  get count() {
    return this.data.count
  }

  add(events) {
    this.data.add(events)
    if (this.isVisible) this.#later()
  }

  async show() {
    this.isVisible = true
    const isLive = this.panel.dataset.state === "running"
    if (!isLive && !this.data.isWhole && this.data.address && !this.data.count && !(await this.#load())) return
    this.#overviewAt = 0
    this.draw()
  }

  async #load() {
    if (this.element.ariaBusy === "true") return false
    this.element.ariaBusy = "true"
    this.where.textContent = "Loading events…"
    try {
      await this.data.load()
      return true
    } catch {
      this.where.textContent = "The events could not be loaded."
      return false
    } finally {
      this.element.ariaBusy = null
    }
  }

  #listen() {
    this.box.addEventListener("scroll", () => this.#later(), { passive: true })
    // Where the box does not scroll, the page does. A panel that was replaced leaves with its listener.
    addEventListener("scroll", () => this.isVisible && this.#later(), { passive: true, signal: this.#left.signal })
    new ResizeObserver(() => this.#later()).observe(this.box)
    this.element.querySelector("[data-close-event]").addEventListener("click", () => this.#close())
    this.rows.addEventListener("click", ({ target }) => {
      const row = target.closest("tr[data-number]")
      if (row) this.choose(Number(row.dataset.number))
    })
    this.box.addEventListener("keydown", (event) => this.#onKey(event))
    this.filters.addEventListener("change", ({ target }) => {
      this.#hidden[target.checked ? "delete" : "add"](target.value)
      this.#seen = 0
      this.#shown = []
      this.draw()
    })
    this.playButton.addEventListener("click", () => (this.playback.isPlaying ? this.playback.pause() : this.#play()))
    for (const button of this.element.querySelectorAll("[data-step]")) {
      button.addEventListener("click", () => this.choose(Math.min(this.count, Math.max(1, this.#now + Number(button.dataset.step)))))
    }
    this.element.querySelector("[data-speed]").addEventListener("change", ({ target }) => { this.playback.speed = Number(target.value) })
    this.position.addEventListener("input", () => {
      this.playback.ms = Number(this.position.value)
      this.choose(Math.max(1, this.data.numberAt(this.playback.ms)), { keepPosition: true })
    })
  }

  #onKey(event) {
    const by = { ArrowDown: 1, ArrowUp: -1, PageDown: 20, PageUp: -20 }[event.key]
    if (!by || event.target !== this.box) return
    event.preventDefault()
    const at = this.#shown.indexOf(this.#now - 1)
    const next = this.#shown[Math.min(this.#shown.length - 1, Math.max(0, at + by))]
    if (next !== undefined) this.choose(next + 1)
  }

  #later() {
    this.#frame ||= requestAnimationFrame(() => {
      this.#frame = 0
      if (this.element.isConnected) this.draw()
      else this.#left.abort()
    })
  }

  draw() {
    this.#filter()
    const now = performance.now()
    if (now - this.#overviewAt > overviewEvery) {
      this.#overviewAt = now
      if (this.#overviewOf !== this.count) {
        this.#overviewOf = this.count
        drawLanes(this.lanes, this.data)
        this.#drawFilters()
      }
      this.#drawWhere()
    }
    else if (this.#overviewOf !== this.count) this.#overviewTimer ||= setTimeout(() => {
      this.#overviewTimer = 0
      if (this.element.isConnected) this.draw()
    }, overviewEvery)
    this.#drawRows()
  }

  #filter() {
    const { name } = this.data
    for (; this.#seen < name.length; this.#seen++) if (!this.#hidden.has(name[this.#seen])) this.#shown.push(this.#seen)
  }

  #drawFilters() {
    for (const [name, count] of this.data.counts()) {
      let label = this.filters.querySelector(`label[data-name="${CSS.escape(name)}"]`)
      if (!label) {
        label = document.createElement("label")
        label.dataset.name = name
        const box = Object.assign(document.createElement("input"), { type: "checkbox", name: "type", value: name, checked: !this.#hidden.has(name) })
        label.append(box, `${name} `, document.createElement("small"))
        this.filters.append(label)
      }
      label.querySelector("small").textContent = count.toLocaleString("en")
    }
  }

  #drawWhere() {
    const { total } = this.data
    const isEmpty = !this.count && this.panel.dataset.state !== "running"
    this.element.toggleAttribute("data-empty", isEmpty)
    if (isEmpty) {
      this.where.textContent = "No events: this response was not streamed."
      return
    }
    this.position.max = Math.ceil(total)
    const ms = this.#now ? this.data.at[this.#now - 1] : 0
    this.where.replaceChildren(Object.assign(document.createElement("b"), { textContent: (ms / 1000).toFixed(3) }), ` / ${(total / 1000).toFixed(3)} s · event `, Object.assign(document.createElement("b"), { textContent: this.#now || "–" }), ` of ${this.count.toLocaleString("en")}`)
    moveCursor(this.lanes, total ? ms / total : 0)
  }

  // -- rows

  /** As the style sheet says: rows are taller where they are stacked. */
  get #rowHeight() {
    return Number(getComputedStyle(this.rows).getPropertyValue("--event-row")) || 25
  }

  /** What scrolls: the box in a pane of the workbench, else the page. */
  get #scroller() {
    return getComputedStyle(this.box).overflowY === "visible" ? document.scrollingElement : this.box
  }

  /** How far below the top of what scrolls the first row is. */
  #rowsTop(scroller) {
    const top = scroller === this.box ? this.box.getBoundingClientRect().top : 0
    return this.rows.getBoundingClientRect().top - top + scroller.scrollTop
  }

  /** What the chosen event covers of the window where it stands below the table, not beside it. */
  #heightBelow(scroller) {
    const [event, table] = [this.atEvent, this.box].map((each) => each.getBoundingClientRect())
    return scroller !== this.box && event.height && event.left < table.right - 1 ? event.height : 0
  }

  #drawRows() {
    const height = this.#rowHeight
    const scroller = this.#scroller
    const first = Math.max(0, Math.floor((scroller.scrollTop - this.#rowsTop(scroller)) / height) - spare)
    const inSight = Math.ceil(scroller.clientHeight / height)
    const last = Math.min(this.#shown.length, first + inSight + 2 * spare)
    const rows = []
    if (first) rows.push(gap(first * height))
    for (let at = first; at < last; at++) rows.push(this.#row(this.#shown[at], at ? this.#shown[at - 1] : -1))
    if (last < this.#shown.length) rows.push(gap((this.#shown.length - last) * height))
    this.rows.replaceChildren(...rows)
  }

  #row(at, before) {
    const { data } = this
    const number = at + 1
    const kind = data.kind(at)
    const row = document.createElement("tr")
    row.setAttribute("role", "row")
    row.dataset.number = number
    row.dataset.kind = kind
    if (number === this.#now) row.dataset.now = ""
    const since = at > 0 ? data.at[at - 1] : 0
    row.append(
      cell("num", number),
      cell("at", Math.round(data.at[at]).toLocaleString("en")),
      this.#bar(since, data.at[at], kind),
      cell("name", "", data.mark[at] ? [mark(data.mark[at]), named(data.name[at])] : [named(data.name[at])]),
      cell("num block-at", data.index[at] < 0 ? "" : data.index[at]),
      cell("num bytes", data.size[at].toLocaleString("en")),
      cell("data", "", [Object.assign(document.createElement("span"), { textContent: data.summary(number, () => this.#later()) })]),
    )
    return row
  }

  #bar(from, to, kind) {
    const total = Math.max(1, this.data.total)
    const svg = document.createElementNS(namespace, "svg")
    svg.setAttribute("viewBox", "0 0 1000 18")
    svg.setAttribute("preserveAspectRatio", "none")
    svg.setAttribute("aria-hidden", "true")
    svg.append(box("rail", 0, 8.5, 1000, 1), box(kind === "meta" || kind === "bad" ? "wait" : kind, (from / total) * 1000, 5, Math.max(3, ((to - from) / total) * 1000), 8))
    const words = Object.assign(document.createElement("span"), { className: "visually-hidden", textContent: `${Math.round(to - from)} ms after the previous one` })
    return cell("bar", "", [svg, words])
  }

  // -- one event

  async choose(number, { keepPosition = false } = {}) {
    if (this.playback.isPlaying) this.playback.pause()
    this.#now = number
    if (!keepPosition) {
      this.playback.ms = this.data.at[number - 1] ?? 0
      this.position.value = this.playback.ms
    }
    this.#drawWhere()
    this.atEvent.hidden = false
    this.#reveal()
    this.#drawRows()
    this.playback.standAt(number)
    const body = this.atEvent.querySelector("[data-at-event-detail]")
    body.dataset.number = number
    try {
      const html = await fetchPart(`${this.panel.dataset.wire}${number}/`)
      if (body.dataset.number === String(number)) fill(body, html)
    } catch {
      body.textContent = "This event could not be loaded."
    }
  }

  #reveal() {
    const at = this.#shown.indexOf(this.#now - 1)
    if (at < 0) return
    const scroller = this.#scroller
    const top = this.#rowsTop(scroller) + at * this.#rowHeight
    const covered = this.box.querySelector(".playback").offsetHeight + this.box.querySelector("thead").offsetHeight
    const { scrollTop } = scroller
    const clientHeight = scroller.clientHeight - this.#heightBelow(scroller)
    if (top < scrollTop + covered || top > scrollTop + clientHeight - this.#rowHeight - 35) scroller.scrollTop = top - clientHeight / 3
  }

  #close() {
    if (this.playback.isPlaying) this.playback.pause()
    this.atEvent.hidden = true
    this.#now = 0
    this.#drawWhere()
    this.#drawRows()
    this.box.focus({ preventScroll: true })
  }

  #play() {
    this.atEvent.hidden = false
    this.atEvent.querySelector("[data-at-event-detail]").replaceChildren()
    this.playback.play()
  }

  #onPlayed(number, ms) {
    this.#now = number
    this.position.value = ms
    this.playButton.setAttribute("aria-pressed", String(this.playback.isPlaying))
    this.#drawWhere()
    this.#reveal()
    this.#later()
  }
}

function cell(className, text, children = []) {
  const element = document.createElement("td")
  element.setAttribute("role", "cell")
  element.className = className
  if (text !== "") element.textContent = text
  element.append(...children)
  return element
}

const named = (name) => Object.assign(document.createElement("i"), { textContent: name })
const mark = (words) => Object.assign(document.createElement("span"), { className: "tag tag-warn", textContent: words })

function box(className, x, y, width, height) {
  const element = document.createElementNS(namespace, "rect")
  for (const [name, value] of Object.entries({ class: className, x: x.toFixed(1), y, width: width.toFixed(1), height })) element.setAttribute(name, value)
  return element
}

function gap(height) {
  const row = document.createElement("tr")
  row.className = "gap"
  row.setAttribute("aria-hidden", "true")
  const filler = document.createElement("td")
  filler.style.height = `${height}px`
  row.append(filler)
  return row
}
