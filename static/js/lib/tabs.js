// Tabs as the ARIA pattern describes them: arrows move, Home and End jump, one tab is in the tab order.

function select(list, chosen) {
  for (const tab of list.querySelectorAll('[role="tab"]')) {
    const isChosen = tab === chosen
    tab.ariaSelected = String(isChosen)
    tab.tabIndex = isChosen ? 0 : -1
    const panel = document.getElementById(tab.getAttribute("aria-controls"))
    if (panel) panel.hidden = !isChosen
  }
  chosen.dispatchEvent(new CustomEvent("tab:selected", { bubbles: true }))
}

const steps = { ArrowRight: 1, ArrowLeft: -1 }

function onKey(event) {
  const tabs = [...event.currentTarget.querySelectorAll('[role="tab"]')].filter((tab) => tab.checkVisibility())
  const at = tabs.indexOf(document.activeElement)
  const next = event.key in steps ? tabs.at((at + steps[event.key]) % tabs.length) : { Home: tabs[0], End: tabs.at(-1) }[event.key]
  if (at < 0 || !next) return
  event.preventDefault()
  select(event.currentTarget, next)
  next.focus()
}

/** Set up every tab list below `scope`. A list with `data-tabs` is somebody else's: of the server, or of the columns that are compared. */
export function startTabs(scope) {
  for (const list of scope.querySelectorAll('[role="tablist"]:not([data-started], [data-tabs])')) {
    list.dataset.started = ""
    list.addEventListener("click", ({ target }) => {
      const tab = target.closest('[role="tab"]')
      if (tab) select(list, tab)
    })
    list.addEventListener("keydown", onKey)
  }
}
