// The server writes times and reads dates in the reader's time zone, which a cookie names.

const ZONE_KEY = "time-zone-asked"

/** Tell the server the zone. A page that was written in another one, as a browser's first is, is asked for once more. */
export function followTimeZone() {
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone
  const written = document.documentElement.dataset.timeZone
  if (!zone || !written || written === zone) return
  document.cookie = `time_zone=${zone};path=/;max-age=31536000;samesite=lax`
  const hasTimes = document.querySelector("time:not([data-clock]), [data-days]") !== null
  if (!hasTimes || sessionStorage.getItem(ZONE_KEY) === zone) return
  sessionStorage.setItem(ZONE_KEY, zone) // a server that does not know the zone is asked once
  if ("countsOpenings" in document.documentElement.dataset) writeTimesAgain()
  else location.reload()
}

/** The times alone of the page, which is not counted as opened once more. */
async function writeTimesAgain() {
  const response = await fetch(location.href, { headers: { "X-Opened-Already": "1" } })
  if (!response.ok) return
  const fresh = new DOMParser().parseFromString(await response.text(), "text/html").querySelectorAll("time")
  const times = document.querySelectorAll("time")
  if (fresh.length === times.length) times.forEach((time, at) => time.replaceWith(fresh[at]))
}
