// Which profiles of H.264 are the same, though their numbers are not (RFC 6184, section 8.1, table 5).

/** What a format without `profile-level-id` means. */
const DEFAULT = '420010';

/**
 * Profiles: the first byte, and which bits of the second have which value. The first match counts.
 *
 * @type {[string, number, number, number][]}
 */
const PROFILES = [
  ['constrained baseline', 0x42, 0b0100_1111, 0b0100_0000],
  ['constrained baseline', 0x4d, 0b1000_1111, 0b1000_0000],
  ['constrained baseline', 0x58, 0b1100_1111, 0b1100_0000],
  ['baseline', 0x42, 0b0100_1111, 0b0000_0000],
  ['baseline', 0x58, 0b1100_1111, 0b1000_0000],
  ['main', 0x4d, 0b1010_1111, 0b0000_0000],
  ['high', 0x64, 0b1111_1111, 0b0000_0000],
  ['constrained high', 0x64, 0b1111_1111, 0b0000_1100],
  ['high 4:4:4', 0xf4, 0b1111_1111, 0b0000_0000],
];

/**
 * Whether two `profile-level-id` name the same profile; levels do not count, they may differ in each direction.
 *
 * @param {string|number} [a]
 * @param {string|number} [b]
 */
export function sameProfile(a, b) {
  const profile = profileOf(a);
  return profile !== undefined && profile === profileOf(b);
}

/** @param {string|number} [id] */
function profileOf(id = DEFAULT) {
  const [, idc, constraints] = /^([0-9a-f]{2})([0-9a-f]{2})[0-9a-f]{2}$/i.exec(String(id)) ?? [];
  const number = Number.parseInt(idc, 16);
  const bits = Number.parseInt(constraints, 16);
  return PROFILES.find(([, first, mask, value]) => first === number && (bits & mask) === value)?.[0];
}
