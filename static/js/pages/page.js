// What every page does: the theme switch, tabs, dialogs, menus that close, and the log-out that takes drafts along.

import "./command-menu.js"
import "../lib/press.js"
import "../lib/row-links.js"
import { followTimeZone } from "../lib/time-zone.js"
import { startTabs } from "../lib/tabs.js"

followTimeZone()

const root = document.documentElement

function switchTheme() {
  const isDark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches
  root.dataset.theme = isDark ? "light" : "dark"
  // A cookie, not storage: the server writes the attribute, so no page flashes in the other theme first.
  document.cookie = `theme=${root.dataset.theme};path=${root.dataset.root};max-age=31536000;samesite=lax`
}

// One listener for the document: parts that htmx swaps in later work without being set up.
document.addEventListener("click", (event) => {
  const target = event.target
  if (!(target instanceof Element)) return
  if (target.closest("[data-theme-switch]")) switchTheme()
  const opener = target.closest("[data-opens]")
  // A menu closes behind the dialog, which gives the focus back to what had it.
  opener?.closest("details.menu")?.querySelector("summary").focus({ preventScroll: true })
  if (opener) document.getElementById(opener.dataset.opens)?.showModal()
  target.closest("[data-dismiss-banner]")?.closest(".banner").remove()
  if (target.closest("[data-closes]")) target.closest("dialog")?.close()
  const asking = target.closest("[data-asks]")
  if (asking && !window.confirm(asking.dataset.asks)) event.preventDefault()
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    if (!menu.contains(target) || target.closest(".menu-list :is(a, button)")) menu.open = false
  }
})

const AT_LEAST = 8 // px between a menu and the edge of the window

function keepInWindow(list) {
  list.style.translate = ""
  const { left, right } = list.getBoundingClientRect()
  const shift = left < AT_LEAST ? AT_LEAST - left : Math.min(0, root.clientWidth - AT_LEAST - right)
  if (shift) list.style.translate = `${shift}px`
}

// A list that opens at the lower end of what scrolls, or at a side of the window, is brought into sight. "toggle" does
// not bubble.
document.addEventListener("toggle", ({ target }) => {
  const list = target.matches?.("details.menu[open]") && target.querySelector(".menu-list")
  if (!list) return
  keepInWindow(list)
  list.scrollIntoView({ block: "nearest", inline: "nearest" })
}, true)

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    menu.open = false
    menu.querySelector("summary").focus()
  }
})

startTabs(document)
document.addEventListener("htmx:load", ({ target }) => startTabs(target))
