// The (i) beside a name opens what a reference page says of the parameter; Esc closes it, and the focus goes back.

const NARROW = matchMedia("(width < 56rem)")
let opener = null

function cardElement() {
  const found = document.getElementById("help-card")
  if (found) return found
  const card = document.createElement("dialog")
  card.id = "help-card"
  card.className = "help-card"
  card.setAttribute("aria-labelledby", "help-title")
  card.tabIndex = -1
  card.addEventListener("close", () => {
    opener?.setAttribute("aria-expanded", "false")
    if (opener?.isConnected) opener.focus({ preventScroll: true })
    opener = null
  })
  card.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return
    event.stopPropagation() // a run that goes on is not stopped by it
    event.preventDefault()
    card.close()
  })
  card.addEventListener("click", ({ target }) => {
    if (target === card || target.closest("[data-closes-help]")) card.close()
  })
  document.body.append(card)
  return card
}

async function open(button) {
  const card = cardElement()
  if (card.open) card.close()
  const address = `${document.getElementById("ask").dataset.helpUrl}?path=${encodeURIComponent(button.dataset.help)}`
  await window.htmx.ajax("GET", address, { target: "#help-card", swap: "innerHTML" })
  if (!card.textContent.trim() || !button.isConnected) return
  opener = button
  button.setAttribute("aria-expanded", "true")
  if (NARROW.matches) card.showModal()
  else {
    card.show()
    place(card, button)
  }
  card.querySelector("[data-closes-help]")?.focus({ preventScroll: true })
}

/** Beside the form, so that the field stays readable; never outside of the window. */
function place(card, button) {
  const form = document.getElementById("ask").getBoundingClientRect()
  const at = button.getBoundingClientRect()
  const left = Math.min(form.right + 8, innerWidth - card.offsetWidth - 8)
  const top = Math.max(8, Math.min(at.top - 24, innerHeight - card.offsetHeight - 8))
  card.style.setProperty("inset", `${top}px auto auto ${Math.max(8, left)}px`)
}

document.addEventListener("click", ({ target }) => {
  if (!(target instanceof Element)) return
  const button = target.closest("[data-help]")
  const card = document.getElementById("help-card")
  if (button) {
    if (button === opener) card.close()
    else open(button)
  } else if (card?.open && !card.contains(target)) card.close()
})
