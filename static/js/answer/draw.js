// Applies the server's patches to the message view. Each names its place (block, part), so one that comes twice does
// no harm, and the result is what the server would have written at once.

import { fill, swap, toFragment } from "../lib/fragment.js"

const leafSize = 40 // as PARTS_IN_LEAF of playground/answer/block_drawing.py
const inline = new Set(["A", "EM", "STRONG", "S", "SPAN", "BR", "HR", "IMG", "TABLE"])
const cellAt = new WeakMap() // table that grows -> which cell of its last row: -1 before the first

/** The element that text at the end of `element` belongs to: the last paragraph, list item, line of code. */
function innermost(element) {
  let at = element
  while (at.lastElementChild && at.lastChild === lastSolid(at) && !inline.has(at.lastElementChild.tagName)) at = at.lastElementChild
  return at
}

function lastSolid(element) {
  let node = element.lastChild
  while (node && node.nodeType === Node.TEXT_NODE && !node.data.trim()) node = node.previousSibling
  return node === element.lastElementChild ? element.lastChild : null
}

function appendText(tail, text) {
  const home = innermost(tail)
  const table = home.querySelector(":scope > table:last-child")
  if (table) return appendToTable(table, text)
  // The renderer ends a paragraph with a line break that would stand between the words.
  if (home !== tail) while (home.nextSibling?.nodeType === Node.TEXT_NODE) home.nextSibling.remove()
  const last = home.lastChild
  if (last?.nodeType === Node.TEXT_NODE) last.appendData(text)
  else home.append(text)
}

/** Text goes on in the last row: `|` ends a cell, a line break the row. Where a cell holds one of its own, this guesses
 * wrong until the server's next drawing, a moment later. */
function appendToTable(table, text) {
  const head = [...table.tHead.rows[0].cells]
  const last = () => table.tBodies[0]?.rows[table.tBodies[0].rows.length - 1]
  let at = cellAt.get(table) ?? (last() ? [...last().cells].findLastIndex((cell) => cell.textContent) : head.length)
  for (const piece of text.split(/([|\n])/)) {
    if (piece === "\n") at = NaN // a row is made when there is something to put into it
    else if (piece.trim() && Number.isNaN(at)) {
      const row = (table.tBodies[0] ?? table.createTBody()).insertRow()
      for (const { className } of head) row.insertCell().className = className
      at = -1
    }
    if (piece === "|") at += 1
    else if (piece.trim() && at < 0) at = 0
    if (piece !== "|") last()?.cells[at]?.append(piece)
  }
  cellAt.set(table, at)
}

export class Canvas {
  #places = new Map()

  constructor(panel) {
    this.panel = panel
    this.blocks = panel.querySelector("[data-blocks]")
    this.figures = panel.querySelector("[data-figures]")
    this.ending = panel.querySelector("[data-ending]")
  }

  clear() {
    this.#places.clear()
    this.blocks.replaceChildren()
    this.ending.replaceChildren()
  }

  apply(patches) {
    for (const patch of patches) this[`on_${patch.op}`]?.(patch)
  }

  block(index) {
    let element = this.#places.get(index)
    if (!element?.isConnected) {
      element = this.blocks.querySelector(`:scope > [data-block="${index}"]`)
      if (element) this.#places.set(index, element)
    }
    return element
  }

  on_figures({ html }) {
    const isOpen = this.figures.querySelector("details")?.open
    this.figures.replaceChildren(toFragment(html))
    if (isOpen) this.figures.querySelector("details").open = true
  }

  on_block({ index, html }) {
    const old = this.block(index)
    this.#places.delete(index)
    if (old) {
      const fresh = swap(old, html)
      if (old.open) fresh.open = true
      return
    }
    const later = [...this.blocks.children].find((element) => Number(element.dataset.block) > index)
    this.blocks.insertBefore(toFragment(html), later ?? null)
    window.htmx?.process(this.block(index))
  }

  on_head({ index, html }) {
    const head = this.block(index)?.querySelector(":scope > [data-head]")
    if (head) head.replaceChildren(toFragment(html))
  }

  on_part({ index, part, html }) {
    const parts = this.#parts(index)
    if (!parts) return
    const tail = this.#tail(index)
    const leaf = this.#leaf(parts, Math.floor(part / leafSize), tail)
    if (leaf.children[part % leafSize]) return
    const element = document.createElement("div")
    element.className = "part"
    element.dataset.part = part
    element.append(toFragment(html))
    leaf.append(element)
    if (tail) {
      tail.replaceChildren()
      tail.dataset.pieces = 0
    }
    decorate(element)
  }

  on_tail({ index, html, to }) {
    const tail = this.#tail(index)
    if (!tail) return
    tail.replaceChildren(toFragment(html))
    tail.dataset.pieces = to
  }

  on_text({ index, text, after, to }) {
    const tail = this.#tail(index)
    if (!tail || Number(tail.dataset.pieces) !== after) return
    appendText(tail, text)
    tail.dataset.pieces = to
  }

  on_shut({ index, html }) {
    const block = this.block(index)
    if (!block) return
    this.#tail(index)?.remove()
    const foot = block.querySelector(":scope > [data-foot]")
    if (foot) foot.replaceChildren(toFragment(html))
  }

  on_ending({ html }) {
    fill(this.ending, html)
    decorate(this.panel)
  }

  // Looked up by place, not by search: an answer can have thousands of parts.
  #parts(index) {
    const block = this.block(index)
    return block && [...block.children].find((child) => "parts" in child.dataset)
  }

  /** Parts stand in leaves, so that an answer of thousands costs a frame no more than one of forty. */
  #leaf(parts, number, tail) {
    const there = parts.children[number]
    if (there && "leaf" in there.dataset) return there
    const leaf = document.createElement("div")
    leaf.className = "leaf"
    leaf.dataset.leaf = ""
    parts.insertBefore(leaf, tail)
    return leaf
  }

  #tail(index) {
    const block = this.block(index)
    const last = this.#parts(index)?.lastElementChild
    if (last && "tail" in last.dataset) return last
    return block && !("parts" in (last?.parentElement?.dataset ?? {})) ? block.querySelector("[data-tail]") : null
  }
}

/** Give every code block its copy button. */
export function decorate(scope) {
  for (const head of scope.querySelectorAll(".codebox-head:not(:has(button))")) {
    const button = document.createElement("button")
    button.type = "button"
    button.className = "button button-quiet button-small"
    button.dataset.copyCode = ""
    button.textContent = "Copy"
    head.append(button)
  }
}
