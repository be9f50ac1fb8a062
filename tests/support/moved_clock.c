/* Preloaded into a process (LD_PRELOAD): moves its wall clock by the nanoseconds that the file named by
 * MOVED_CLOCK holds (int64, native order). The file is mapped, so that rewriting it moves the clock at once.
 * CLOCK_MONOTONIC, CLOCK_BOOTTIME and the time stamps of files are the kernel's own. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define SECOND INT64_C(1000000000)

static const volatile int64_t *offset;

__attribute__((constructor)) static void map_offset(void)
{
    const char *path = getenv("MOVED_CLOCK");
    int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (fd < 0)
        return;
    void *mapped = mmap(NULL, sizeof *offset, PROT_READ, MAP_SHARED, fd, 0);
    close(fd);
    if (mapped != MAP_FAILED)
        offset = mapped;
}

int clock_gettime(clockid_t clock, struct timespec *now)
{
    static int (*kernel)(clockid_t, struct timespec *);
    if (!kernel)
        *(void **)&kernel = dlsym(RTLD_NEXT, "clock_gettime");
    int failed = kernel(clock, now);
    if (!failed && offset && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) {
        int64_t moved = now->tv_sec * SECOND + now->tv_nsec + *offset;
        int64_t rest = ((moved % SECOND) + SECOND) % SECOND; /* before 1970 as well */
        now->tv_sec = (moved - rest) / SECOND;
        now->tv_nsec = rest;
    }
    return failed;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone)
{
    struct timespec moved;
    (void)zone;
    clock_gettime(CLOCK_REALTIME, &moved);
    now->tv_sec = moved.tv_sec;
    now->tv_usec = moved.tv_nsec / 1000;
    return 0;
}

time_t time(time_t *into)
{
    struct timespec moved;
    clock_gettime(CLOCK_REALTIME, &moved);
    if (into)
        *into = moved.tv_sec;
    return moved.tv_sec;
}

int timespec_get(struct timespec *into, int base)
{
    return base == TIME_UTC && clock_gettime(CLOCK_REALTIME, into) == 0 ? base : 0;
}
