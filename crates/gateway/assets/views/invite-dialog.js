// Whom to ask into a room.

import { byId, fromTemplate } from '../dom.js';
import { setLabel, setText } from '../i18n.js';

/** Opens at once, and may ask several people before it is closed. */
export class InviteDialog {
  #dialog = byId('invite-dialog');

  /**
   * @param {import('./person.js').Person[]} people
   * @param {(person: import('./person.js').Person) => void} onInvite
   */
  constructor(people, onInvite) {
    byId('invite-list').replaceChildren(...people.map((it) => makeRow(it, onInvite)));
    byId('invite-empty').hidden = people.length > 0;
    this.#dialog.showModal();
  }
}

function makeRow(person, onInvite) {
  const { root, slots } = fromTemplate('invite-template');
  root.dataset.clientId = person.clientId;
  slots.name.textContent = person.name;
  slots.detail.textContent = [person.clientId.split('@')[0], person.partition].filter(Boolean).join(' · ');
  setLabel(slots.invite, 'room.invite.label', { name: person.name });
  slots.invite.addEventListener('click', () => {
    onInvite(person);
    setText(slots.invite, 'room.invite.asked');
    slots.invite.disabled = true;
  });
  return root;
}
