// Differences of two wordings, word by word.

/** Differences up to which two wordings are told apart word by word. */
const DIFFERENCES = 600;

/** Words and what stands between them, which belongs to the word before. */
const wordsOf = (text) => text.match(/\S+\s*|\s+/gu) ?? [];
const bare = (word) => word.toLowerCase().replace(/[^\p{L}\p{N}\p{M}]+/gu, '');

/**
 * Turns `a` into `b`: a list of [what, words of `a`, words of `b`], where what is
 * 'same' (in letters and digits), 'out' or 'in'. The shortest way (Myers, An
 * O(ND) Difference Algorithm and Its Variations, 1986); texts with more
 * differences than it is worth are told as a whole.
 */
function diff(a, b) {
  const [from, to] = [wordsOf(a), wordsOf(b)];
  const steps = way(from.map(bare), to.map(bare));
  if (!steps)
    return [
      ['out', a, ''],
      ['in', '', b],
    ];
  const found = [];
  let [i, j] = [0, 0];
  for (const step of steps) {
    const out = step === 'in' ? '' : from[i++];
    const into = step === 'out' ? '' : to[j++];
    const last = found[found.length - 1];
    if (last?.[0] === step) {
      last[1] += out;
      last[2] += into;
    } else found.push([step, out, into]);
  }
  return found;
}

/** The steps from one list to another, or null if they differ too much. */
function way(x, y) {
  const most = Math.min(x.length + y.length, DIFFERENCES);
  let ends = new Map([[1, 0]]);
  const trace = [];
  for (let d = 0; d <= most; d++) {
    trace.push(new Map(ends));
    for (let k = -d; k <= d; k += 2) {
      const down = k === -d || (k !== d && (ends.get(k - 1) ?? -1) < (ends.get(k + 1) ?? -1));
      let i = down ? ends.get(k + 1) : ends.get(k - 1) + 1;
      let j = i - k;
      while (i < x.length && j < y.length && x[i] === y[j]) [i, j] = [i + 1, j + 1];
      ends.set(k, i);
      if (i >= x.length && j >= y.length) return back(trace, x.length, y.length, d);
    }
  }
  return null;
}

function back(trace, i, j, d) {
  const steps = [];
  for (; d >= 0; d--) {
    const ends = trace[d];
    const k = i - j;
    const down = k === -d || (k !== d && (ends.get(k - 1) ?? -1) < (ends.get(k + 1) ?? -1));
    const before = d === 0 ? [0, 0] : [ends.get(down ? k + 1 : k - 1), 0];
    if (d > 0) before[1] = before[0] - (down ? k + 1 : k - 1);
    while (i > before[0] && j > before[1]) {
      steps.push('same');
      [i, j] = [i - 1, j - 1];
    }
    if (d > 0) steps.push(down ? 'in' : 'out');
    [i, j] = before;
  }
  return steps.reverse();
}
