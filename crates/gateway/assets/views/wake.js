// Keeps the screen on while there is a call, where the browser can.

/** The lock is lost whenever the page is hidden, so it is taken again when the page comes back. */
export class WakeLock {
  #wanted = false;
  #lock;

  constructor() {
    document.addEventListener('visibilitychange', () => this.#update());
  }

  /** Asks for the screen to stay on, or lets it go. */
  hold(wanted) {
    if (this.#wanted === wanted) return;
    this.#wanted = wanted;
    this.#update();
  }

  async #update() {
    try {
      const visible = document.visibilityState === 'visible';
      if (this.#wanted && visible) this.#lock = await navigator.wakeLock?.request('screen');
      if (!this.#wanted) await this.#lock?.release(); // Also when the call ended while the lock was being given.
    } catch {
      // A low battery or a policy may refuse: the call goes on without it.
    }
  }
}
