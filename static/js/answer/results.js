// The forms for tool results: which way a result is written, and whether every call has one.

export function updateResults(panel) {
  const button = panel.querySelector("[data-send-results]")
  if (!button) return
  const cards = [...panel.querySelectorAll("[data-result]")]
  const missing = cards.filter((card) => !hasResult(card)).length
  const anyway = button.form.elements.anyway
  button.disabled = missing > 0 && !anyway.checked
  anyway.closest("label").hidden = missing === 0
  const words = panel.querySelector("[data-missing-results]")
  words.textContent = missing
    ? `${missing} ${missing === 1 ? "result" : "results"} missing`
    : `${cards.length} of ${cards.length} ${cards.length === 1 ? "result" : "results"} filled in`
}

function hasResult(card) {
  const way = card.querySelector("[data-way]:checked")?.value
  if (card.querySelector('[name^="is_error-"]').checked) return true
  const field = card.querySelector(`[data-for-way="${way}"]`)
  return [...(field?.querySelectorAll("input, textarea, select") ?? [])].some(({ value }) => value.trim() !== "")
}

function onChange({ target }) {
  const card = target.closest?.("[data-result]")
  const panel = target.closest?.(".answer-panel")
  if (!panel) return
  if (card && target.matches("[data-way]")) {
    for (const field of card.querySelectorAll("[data-for-way]")) field.hidden = field.dataset.forWay !== target.value
  }
  updateResults(panel)
}

// --- Tools that answer by themselves: what was saved for them is sent, for some turns, unless somebody holds it ------

const pause = 1_200 // ms in which it can be held
let answered = 0

/** Send the saved results of an answer whose calls all have one. */
export function answerByItself(panel) {
  const form = panel.querySelector("form[data-answers-itself]:not([data-begun])")
  if (!form) return
  form.dataset.begun = ""
  const most = form.querySelector("[data-auto-turns]")
  const hold = form.querySelector("[data-auto-hold]")
  most.value = sessionStorage.getItem("auto-turns") ?? most.value
  most.addEventListener("change", () => sessionStorage.setItem("auto-turns", most.value))
  if (answered >= Number(most.value)) return
  hold.hidden = false
  const timer = setTimeout(() => {
    if (!form.isConnected) return
    answered += 1
    form.requestSubmit()
  }, pause)
  hold.addEventListener("click", () => {
    clearTimeout(timer)
    hold.hidden = true
  })
}

// A request that somebody sends by hand begins a new count.
document.addEventListener("submit", ({ target }) => {
  if (!target.matches("form[data-answers-itself]")) answered = 0
})

document.addEventListener("input", onChange)
document.addEventListener("change", onChange)
