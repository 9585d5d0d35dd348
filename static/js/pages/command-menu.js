// Ctrl+K or Cmd+K: a menu of the page's own actions and of all pages. It presses the controls of the page.

import { fetchPart, toFragment } from "../lib/fragment.js"

const { root, page } = document.documentElement.dataset
const menu = () => document.getElementById("command-menu")
let asked = false

async function open() {
  if (menu()?.open) return menu().close()
  if (document.querySelector("dialog[open]")) return
  if (!menu()) {
    if (asked) return
    asked = true
    const part = await fetchPart(`${root}commands/?on=${encodeURIComponent(page ?? "")}`).finally(() => (asked = false))
    document.body.append(toFragment(part).querySelector("dialog"))
    menu().addEventListener("input", narrow)
    menu().addEventListener("keydown", follow)
    menu().addEventListener("click", ({ target }) => {
      const option = target.closest("[role=option]")
      if (option) run(option)
      else if (target === menu()) menu().close()
    })
    menu().addEventListener("pointermove", ({ target }) => choose(target.closest("[role=option]"), { scrolls: false }))
  }
  document.getElementById("command-query").value = ""
  menu().showModal()
  narrow()
}

/** The control that an action stands for, if it can be pressed now. */
function controlOf(option) {
  const found = [...document.querySelectorAll(option.dataset.press)]
  return found.find((each) => !each.disabled && canBeReached(each))
}

/** Shown, or hidden only by a menu or a group that is folded. */
function canBeReached(element) {
  const fold = element.parentElement?.closest("details:not([open])")
  if (fold && !fold.querySelector(":scope > summary")?.contains(element)) return canBeReached(fold)
  return element.checkVisibility() || Boolean(element.closest(".view-switch")?.checkVisibility())
}

const shown = () => [...menu().querySelectorAll("[role=option]:not([hidden])")]

function narrow() {
  const words = document.getElementById("command-query").value.toLowerCase().split(/\s+/).filter(Boolean)
  for (const option of menu().querySelectorAll("[role=option]")) {
    const text = `${option.textContent} ${option.dataset.also ?? ""}`.toLowerCase()
    option.hidden = !words.every((word) => text.includes(word)) || Boolean(option.dataset.press && !controlOf(option))
  }
  for (const group of menu().querySelectorAll("[role=group]")) group.hidden = !group.querySelector("[role=option]:not([hidden])")
  document.getElementById("command-none").hidden = shown().length > 0
  choose(shown()[0] ?? null)
}

function choose(option, { scrolls = true } = {}) {
  if (option === null && shown().length) return
  for (const each of menu().querySelectorAll('[aria-selected="true"]')) each.ariaSelected = "false"
  const field = document.getElementById("command-query")
  if (!option) return field.removeAttribute("aria-activedescendant")
  option.ariaSelected = "true"
  field.setAttribute("aria-activedescendant", option.id)
  if (scrolls) option.scrollIntoView({ block: "nearest" })
}

function follow(event) {
  const options = shown()
  const at = options.findIndex((each) => each.ariaSelected === "true")
  const to = { ArrowDown: at + 1, ArrowUp: at - 1, PageDown: at + 8, PageUp: at - 8 }[event.key]
  if (event.key === "Enter" && !event.target.closest("button")) {
    event.preventDefault()
    if (at >= 0) run(options[at])
  } else if (to !== undefined && options.length) {
    event.preventDefault()
    const isStep = event.key.startsWith("Arrow")
    choose(isStep ? options.at(to % options.length) : options.at(Math.max(0, Math.min(options.length - 1, to))))
  }
}

function run(option) {
  menu().close()
  if (option.dataset.href) return location.assign(option.dataset.href)
  const control = controlOf(option)
  if (!control) return
  for (let fold = control.closest("details:not(.menu)"); fold; fold = fold.parentElement.closest("details:not(.menu)")) fold.open = true
  if (control.matches("input:not([type=radio], [type=checkbox])")) control.focus()
  else control.click()
}

document.addEventListener(
  "keydown",
  (event) => {
    if (root === undefined) return // a page for readers of a share leads nowhere
    if (event.key.toLowerCase() !== "k" || !(event.ctrlKey || event.metaKey) || event.altKey || event.shiftKey) return
    event.preventDefault()
    event.stopPropagation()
    open()
  },
  { capture: true },
)
document.addEventListener("click", ({ target }) => {
  if (target.closest?.("[data-opens-commands]")) open()
})
