// The running mesh that the tests talk to, as the environment describes it.

/** Two nodes' HTTPS origins, e.g. `https://localhost:8883`. */
export const NODE_A = required('TAOYAO_A');
export const NODE_B = required('TAOYAO_B');

export const USER = required('TAOYAO_USER');
export const PASSWORD = required('TAOYAO_PASSWORD');

/** A terminal id that no other run uses, so that runs do not push each other out. */
export function uniqueId(stem) {
  return `${stem}-${Math.random().toString(36).slice(2, 8)}`;
}

function required(name) {
  const value = process.env[name];
  if (!value)
    throw new Error(`Set ${name}: these tests need a running mesh (TAOYAO_A, TAOYAO_B, TAOYAO_USER, TAOYAO_PASSWORD).`);
  return value;
}
