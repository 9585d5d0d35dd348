// The groups of the form: which of them are open is remembered, and one with a problem opens itself when nothing is sent.

const groups = () => [...document.querySelectorAll("#ask details[data-group]")]

/** A cookie, not storage: the server draws the groups as they were left. */
function remember() {
  const open = groups().filter((group) => group.open)
  document.cookie = `groups=${open.map((group) => group.dataset.group).join(".")};path=/;max-age=31536000;samesite=lax`
}

// "toggle" does not bubble, and comes late: the click and the key that toggle are heard instead.
document.addEventListener("toggle", ({ target }) => target.matches?.("details[data-group]") && remember(), true)
