/**
 * A worker that only waits. Timers of a hidden page are aligned to a second and later to a minute;
 * those of a worker are not, and the first word of the film must not be late by either.
 */
self.addEventListener("message", (event) => {
  const { id, ms } = event.data;
  setTimeout(() => self.postMessage(id), ms);
});
