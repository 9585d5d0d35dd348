// The report's page: squares by arrow keys, one tab stop for all of them; a finding opens when its address is asked for;
// a report in the making is followed, part by part, and the page is fetched anew at its end.

import { sessionEnded } from "../lib/close-codes.js"
import { RunSocket } from "../answer/socket.js"
import { swap } from "../lib/fragment.js"

function openChosen() {
  const chosen = location.hash.length > 1 && document.getElementById(location.hash.slice(1))
  if (!chosen) return
  const fold = chosen.closest("details")
  if (fold) fold.open = true
  chosen.scrollIntoView({ block: "center" })
  if (chosen === fold) chosen.querySelector("summary").focus({ preventScroll: true })
}

function startMatrix(matrix) {
  const rows = () => [...matrix.querySelectorAll(".cells")].map((row) => [...row.querySelectorAll("a")])
  const links = rows().flat()
  const choose = (link) => {
    for (const each of links) each.tabIndex = each === link ? 0 : -1
    return link
  }
  if (links.length > 0) choose(links[0])
  matrix.addEventListener("focusin", ({ target }) => links.includes(target) && choose(target))
  matrix.addEventListener("keydown", (event) => {
    const grid = rows()
    const y = grid.findIndex((row) => row.includes(event.target))
    if (y < 0) return
    const x = grid[y].indexOf(event.target)
    const next = {
      ArrowRight: () => grid[y][x + 1],
      ArrowLeft: () => grid[y][x - 1],
      ArrowDown: () => grid[y + 1]?.[Math.min(x, grid[y + 1].length - 1)],
      ArrowUp: () => grid[y - 1]?.[Math.min(x, grid[y - 1].length - 1)],
      Home: () => grid[y][0],
      End: () => grid[y].at(-1),
    }[event.key]?.()
    if (!next) return
    event.preventDefault()
    choose(next).focus()
  })
}

function follow(progress) {
  const link = document.getElementById("progress-link")
  const words = link.textContent
  const frame = ({ type, parts }) => {
    if (type === "ended") return location.reload()
    for (const [id, html] of Object.entries(parts ?? {})) {
      const old = document.getElementById(id)
      const hadFocus = old?.contains(document.activeElement)
      const fresh = old && swap(old, html)
      if (hadFocus) fresh.focus()
    }
  }
  const state = (now, { code } = {}) => {
    if (code === sessionEnded) location.reload()
    link.textContent = now === "live" ? words : "not connected; the report continues"
  }
  new RunSocket(progress.dataset.socket, { frame, state })
}

const progress = document.querySelector("#progress[data-socket]")
if (progress) follow(progress)
for (const matrix of document.querySelectorAll("[data-matrix]")) startMatrix(matrix)
window.addEventListener("hashchange", openChosen)
openChosen()
