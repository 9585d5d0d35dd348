// The events of one run as columns, however many there are: 100,000 events are six arrays, not 100,000 objects.

import { fetchPart } from "../lib/fragment.js"

const deltaOf = /"delta"\s*:\s*\{\s*"type"\s*:\s*"([a-z_]{1,60})"/
const typeOf = /"type"\s*:\s*"([a-z_]{1,60})"/
const indexOf = /"index"\s*:\s*(\d{1,6})/
const blockOf = /"content_block"\s*:\s*\{[^{}]{0,200}?"type"\s*:\s*"([a-z_]{1,60})"/
const rowsAtOnce = 500
const mostAsked = 2 // windows of rows that are fetched at a time; of those scrolled past only the last ones are

export class WireData {
  #texts = new Map() // number -> data as received, or its beginning
  #asked = new Set() // first numbers of the windows that are on their way
  #wanted = []
  #counts = new Map()
  #counted = 0

  /** `kinds`: the catalogue of block types as the server tells it (`wire_kinds` in block_types.py). */
  constructor(address, kinds) {
    this.address = address
    this.kinds = kinds
    this.known = new Set(kinds.events)
    this.at = []
    this.name = []
    this.index = []
    this.size = []
    this.mark = []
    this.blocks = new Map() // index -> type
    this.isWhole = false
  }

  get count() {
    return this.at.length
  }

  get total() {
    return this.at.at(-1) ?? 0
  }

  /** Take events of a frame: [number, at_ms, name, data, size, mark]. */
  add(events) {
    for (const [number, at, wireName, data, size, mark] of events) {
      if (number !== this.count + 1) continue
      const head = data.slice(0, 300)
      const name = deltaOf.exec(head)?.[1] ?? typeOf.exec(head)?.[1] ?? wireName ?? "unnamed"
      const index = head.includes('"content_block') ? indexOf.exec(head) : null
      if (name === "content_block_start" && index) this.blocks.set(Number(index[1]), blockOf.exec(data)?.[1] ?? "")
      this.at.push(at)
      this.name.push(name)
      this.index.push(index ? Number(index[1]) : -1)
      this.size.push(size)
      this.mark.push(mark && mark !== "cut" ? "malformed" : this.#markOf(name, data, mark))
      this.#texts.set(number, data.slice(0, 400))
    }
  }

  #markOf(name, data, mark) {
    const text = data.trim()
    if (text && text !== "[DONE]" && mark !== "cut" && !(text.startsWith("{") && text.endsWith("}"))) return "not JSON"
    return this.known.has(name) || text === "[DONE]" ? "" : "unknown"
  }

  /** Fetch what a stored run has. */
  async load() {
    const { columns, names, marks, blocks } = JSON.parse(await fetchPart(this.address))
    this.at = columns.at
    this.name = columns.name.map((at) => names[at])
    this.index = columns.index
    this.size = columns.size
    this.mark = columns.mark.map((at) => marks[at])
    this.blocks = new Map(Object.entries(blocks).map(([index, type]) => [Number(index), type]))
    this.isWhole = true
  }

  /** The colour of an event. */
  kind(at) {
    const name = this.name[at]
    if (Object.hasOwn(this.kinds.deltas, name)) return this.kinds.deltas[name]
    if (this.mark[at] || name === "error") return "bad"
    return this.kindOfLane(this.index[at])
  }

  /** The colour of all that belongs to one block; of the message itself below 0. */
  kindOfLane(index) {
    const type = this.blocks.get(index) ?? ""
    if (index < 0) return "meta"
    if (Object.hasOwn(this.kinds.blocks, type)) return this.kinds.blocks[type]
    return Object.entries(this.kinds.parts).find(([part]) => type.includes(part))?.[1] ?? "meta"
  }

  /** The beginning of an event's data; null while it is on its way, `onCome` is called when it is there. */
  text(number, onCome) {
    const text = this.#texts.get(number)
    if (text !== undefined) return text
    const first = number - ((number - 1) % rowsAtOnce)
    if (this.address && !this.#asked.has(first) && !this.#wanted.includes(first)) {
      this.#wanted = [...this.#wanted, first].slice(-mostAsked)
      this.#fetchRows(onCome)
    }
    return null
  }

  async #fetchRows(onCome) {
    if (this.#asked.size >= mostAsked || !this.#wanted.length) return
    const first = this.#wanted.pop()
    this.#asked.add(first)
    try {
      for (const [at, data] of JSON.parse(await fetchPart(`${this.address}?first=${first}`)).rows) this.#texts.set(at, data)
      onCome()
    } catch {
      // Asked for again when the rows are next in sight.
    } finally {
      this.#asked.delete(first)
    }
    this.#fetchRows(onCome)
  }

  /** What an event says, in a line. */
  summary(number, onCome) {
    const text = this.text(number, onCome)
    if (text === null) return "…"
    const name = this.name[number - 1]
    if (name === "content_block_stop") return "block complete"
    if (name === "message_stop") return "end of stream"
    if (name === "ping") return "keep-alive"
    if (name === "content_block_start") return this.blocks.get(this.index[number - 1]) || text
    const said = /"(?:text|thinking|partial_json|signature)"\s*:\s*("(?:[^"\\]|\\.)*"?)/.exec(text.slice(text.indexOf('"delta"') + 1))
    return name.endsWith("_delta") && name !== "message_delta" && said ? said[1] : text
  }

  /** How many events of each name there are, in the order they first came. */
  counts() {
    for (; this.#counted < this.name.length; this.#counted++) {
      const name = this.name[this.#counted]
      this.#counts.set(name, (this.#counts.get(name) ?? 0) + 1)
    }
    return this.#counts
  }

  /** The last event that had come at this time. */
  numberAt(ms) {
    let low = 0
    let high = this.count
    while (low < high) {
      const middle = (low + high) >> 1
      if (this.at[middle] <= ms) low = middle + 1
      else high = middle
    }
    return low
  }
}
