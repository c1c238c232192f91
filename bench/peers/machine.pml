/* SPDX-License-Identifier: GPL-2.0-only
 *
 * The io-mode machine of one inode at v7.3, as Promela, at the grain of sim/scheduled_world.h: each
 * d_step is one visible operation with the local work after it. Covers what the scenarios here do:
 * cached and passthrough opens and their closes, parallel direct writes through a file `w` that is
 * open from the start. One backing, registered from the start; no page is ever cached.
 *
 * A scenario defines THREADS and START, includes this file, has a proctype for each thread with the
 * thread's number T as its parameter, and includes driver.pml. R(thread, step), from 0 on, holds a step's result: a
 * value, an errno below zero, or BLOCKED.
 */
#define BLOCKED 1
#define EIO (-5)
#define EBADF (-9)

#define MAX_TASKS (THREADS + 2) /* the server, init, the threads; a task's number is its _pid */
#define ME _pid

/* The inode. */
byte lock;       /* fi->lock: holder */
short ctr;       /* iocachectr */
bit cache_mode;  /* FUSE_I_CACHE_IO_MODE */
bit fb;          /* whether the backing is attached */
byte ipages;     /* the page cache's lock: never held across a d_step */
byte inval_mask;
byte isize = 16; /* pages */
byte attr_version;

/* direct_io_waitq. */
bit queued[MAX_TASKS];
bit asleep[MAX_TASKS];
bit wakeup[MAX_TASKS]; /* woken before it went to sleep */

/* i_rwsem: tasks wait in `waiting`, first come first; `wants_write` says for what. */
byte readers;
byte writer;
byte waiting[MAX_TASKS];
byte waiters;
bit wants_write[MAX_TASKS];

/* The connection, its backing and its server. */
bit connected = 1;
bit backing_id = 1; /* whether the id table has it */
byte backing_count = 1;
byte rcu_readers;
byte background; /* requests that the server has to answer */

/* The file `w`. */
byte w_count = 1;

#define STEPS 2 /* of a thread, at most */
short result[THREADS * STEPS];
#define R(thread, step) result[(thread) * STEPS + (step)]

/* --- i_rwsem --- */

/* When a reader is first: gives the lock to all queued readers. Writers keep their order. */
inline grant_readers() {
  if
  :: waiters > 0 && !wants_write[waiting[0]] ->
     i = 0; k = 0;
     do
     :: i < waiters && !wants_write[waiting[i]] ->
        readers++; asleep[waiting[i]] = 0; i++
     :: i < waiters && wants_write[waiting[i]] -> waiting[k] = waiting[i]; k++; i++
     :: else -> break
     od;
     i = k;
     do
     :: i < waiters -> waiting[i] = 0; i++
     :: else -> break
     od;
     waiters = k;
     i = 0; k = 0
  :: else
  fi
}

inline wake_first() {
  if
  :: waiters > 0 && wants_write[waiting[0]] -> asleep[waiting[0]] = 0
  :: else -> grant_readers()
  fi
}

inline queue_up(write) {
  waiting[waiters] = ME; waiters++; wants_write[ME] = write; asleep[ME] = 1
}

/* Who was granted the lock goes on with its next operation, once it is awake. */
inline down_read() {
  d_step {
    if
    :: writer == 0 && (waiters == 0 || readers == 0) ->
       readers++;
       if
       :: readers == 1 -> grant_readers()
       :: else
       fi
    :: else -> queue_up(0)
    fi
  }
}

/* Leaves the queue, wherever in it the task is. */
inline leave_queue() {
  i = 0;
  do
  :: waiting[i] != ME -> i++
  :: else -> break
  od;
  waiters--;
  do
  :: i < waiters -> waiting[i] = waiting[i + 1]; i++
  :: else -> break
  od;
  waiting[waiters] = 0; wants_write[ME] = 0; i = 0
}

inline down_write() {
  do
  :: atomic {
       if
       :: writer == 0 && readers == 0 -> writer = ME; break
       :: else -> queue_up(1)
       fi
     };
again:
     atomic {
       !asleep[ME] ->
       if
       :: writer == 0 && readers == 0 -> leave_queue(); writer = ME; break
       :: else -> asleep[ME] = 1; goto again
       fi
     }
  od
}

inline up_read() {
  atomic {
    readers--;
    if
    :: readers == 0 -> wake_first()
    :: else
    fi
  }
}

/* --- io modes --- */

/* A request that is answered at once, or that the connection refuses. */
inline send() { (connected) }
/* A pass over the page cache, which is empty. */
inline pass_over_pages() { (ipages == 0) }

inline wake_up() {
  d_step {
    i = 0;
    do
    :: i < MAX_TASKS ->
       if
       :: queued[i] && asleep[i] -> asleep[i] = 0
       :: queued[i] && !asleep[i] -> wakeup[i] = 1
       :: else
       fi;
       queued[i] = 0;
       i++
    :: else -> break
    od;
    i = 0
  }
}

/* fuse_sync_release() of a file whose open failed. `next` is what the step after it gives then. */
inline sync_release(r, next) {
  (lock == 0);
  ff = 0;
  d_step { connected -> R(T, r) = EIO; R(T, r + 1) = next }
}

/* open(2) answered with KEEP_CACHE. */
inline open_cached(r, next) {
  do
  :: send();
     atomic {
       if
       :: fb -> goto failed
       :: else
       fi
     };
     /* fuse_file_cached_io_open(): under fi->lock. */
take:
     atomic {
       lock == 0 ->
       if
       :: fb -> cache_mode = 0; goto failed
       :: !fb && ctr < 0 -> cache_mode = 1
       :: !fb && ctr == 0 -> cache_mode = 1; lock = ME; goto count
       :: !fb && ctr > 0 -> ctr++; mode = 1; R(T, r) = 0; break
       fi
     };
     /* wait_event(): test, queue, test again, sleep. */
     atomic {
       if
       :: ctr >= 0 -> goto take
       :: else
       fi
     };
     atomic {
       if
       :: fb -> goto take
       :: else
       fi
     };
queue:
     atomic { !asleep[ME] -> queued[ME] = 1; wakeup[ME] = 0 };
     atomic {
       if
       :: ctr >= 0 -> goto leave
       :: else
       fi
     };
     atomic {
       if
       :: fb
       :: !fb && wakeup[ME] -> goto queue
       :: !fb && !wakeup[ME] -> asleep[ME] = 1; goto queue
       fi
     };
leave:
     atomic { queued[ME] = 0; wakeup[ME] = 0; goto take };
count:
     atomic { ctr++; lock = 0; mode = 1; R(T, r) = 0 };
     break;
failed:
     sync_release(r, next);
     break
  od
}

/* fuse_inode_uncached_io_end(). */
inline uncached_end() {
  do
  :: atomic {
       lock == 0 ->
       ctr++;
       if
       :: ctr == 0 -> lock = ME
       :: else -> break
       fi
     };
     wake_up();
     atomic {
       lock = 0;
       if
       :: fb -> fb = 0
       :: else -> break
       fi
     };
     backing_count--;
     break
  od
}

/* open(2) answered with PASSTHROUGH. */
inline open_passthrough(r, next) {
  do
  :: send();
     (fb == fb);
     rcu_readers++;
     (backing_id);
     backing_count++;
     rcu_readers--;
     /* fuse_inode_uncached_io_start(). */
     atomic {
       lock == 0 ->
       if
       :: ctr > 0 -> goto failed
       :: ctr <= 0 && fb -> ctr--; lock = ME; goto put
       :: ctr <= 0 && !fb -> ctr--; lock = ME
       fi
     };
     d_step { fb = 1; lock = 0 };
opened:
     atomic { ipages == 0 -> mode = 2; R(T, r) = 0 };
     break;
put:
     atomic { backing_count--; lock = 0; goto opened };
failed:
     atomic { backing_count-- };
     sync_release(r, next);
     break
  od
}

/* close(2) of the file that open_* left in `mode`. */
inline close_file(r) {
  if
  :: mode == 0
  :: (mode != 0 && ipages == 0);
     pass_over_pages();
     send();
     file = 0;
     (lock == 0);
     ff = 0;
     if
     :: atomic {
          mode == 1 && lock == 0 ->
          ctr--;
          if
          :: ctr == 0 -> lock = ME
          :: else -> goto released
          fi
        };
        d_step { cache_mode = 0; lock = 0 }
     :: mode == 2 -> uncached_end()
     fi;
released:
     atomic { connected -> background++; mode = 0; R(T, r) = 0 }
  fi
}

/* A write of one page below the end of the file through `w`, which is open with
 * DIRECT_IO|PARALLEL_DIRECT_WRITES. */
inline write_w(r) {
  w_count++;
  /* fuse_dio_lock(). */
  do
  :: atomic {
       if
       :: cache_mode -> goto exclusively
       :: else
       fi
     };
     (isize == isize);
     down_read();
     (!asleep[ME] && isize == isize);
     atomic {
       lock == 0 ->
       if
       :: ctr > 0
       :: else -> ctr--; break
       fi
     };
     up_read();
exclusively:
     down_write();
     atomic { ipages == 0 -> exclusive = 1 };
     goto flushed
  od;
  pass_over_pages();
flushed:
  (ipages == 0);
  send();
  pass_over_pages();
  d_step { lock == 0 -> attr_version++; lock = ME };
  d_step { isize == isize -> lock = 0 };
  inval_mask = 1;
  if
  :: d_step { exclusive -> exclusive = 0; writer = 0; wake_first() }
  :: !exclusive -> uncached_end(); up_read()
  fi;
  d_step { w_count--; R(T, r) = 4096 }
}

/* Of each thread. */
#define LOCALS byte i, k, mode, file, ff; bit exclusive

active proctype Server() {
end:
  do
  :: d_step { background > 0 -> background-- }
  od
}
