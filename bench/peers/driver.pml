/* SPDX-License-Identifier: GPL-2.0-only
 *
 * Starts the threads of a scenario at once. With -DOUTCOMES each state at rest prints its outcome.
 */
init {
  byte t;
  d_step {
    do
    :: t < THREADS ->
       R(t, 0) = BLOCKED; R(t, 1) = BLOCKED;
       t++
    :: else -> break
    od;
    t = 0
  };
  atomic {
    START
  };
#ifdef OUTCOMES
end:
  timeout ->
  c_code {
    int t, n;
    printf("outcome");
    for (t = 0; t < THREADS; t++) {
      for (n = 0; n < STEPS; n++) printf(" %d", now.result[t * STEPS + n]);
    }
    printf("\n");
  }
#endif
}
