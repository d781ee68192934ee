"""A cell for one student inside the walls that bubblewrap puts up: own processes, own scratch folder, own limits.

Bubblewrap's walls stand around a process that has loaded the libraries and no student's code. Each student gets a copy
of it (a fork, so that nobody waits for the libraries again), and the copy is locked in here before it reads a byte of
the student's: in namespaces of its own, so that it neither sees nor outlives anything; with a scratch folder in memory;
with limits that it cannot lift; and without the system calls by which walls are climbed. Linux only.
"""

import ctypes
import os
import platform
import resource
import select
import signal
import struct
import sys

libc = ctypes.CDLL(None, use_errno=True)

CLONE_NEWNS, CLONE_NEWUTS, CLONE_NEWIPC = 0x00020000, 0x04000000, 0x08000000
CLONE_NEWUSER, CLONE_NEWPID, CLONE_NEWNET = 0x10000000, 0x20000000, 0x40000000
MS_NOSUID, MS_NODEV, MS_REC, MS_PRIVATE = 2, 4, 0x4000, 0x40000
PR_SET_PDEATHSIG, PR_CAPBSET_DROP, PR_SET_SECCOMP, PR_SET_NO_NEW_PRIVS = 1, 24, 22, 38

SLACK = 2**31  # bytes of addresses that libraries reserve for threads and never use
FORBIDDEN_CALLS = {  # numbers on x86_64 and aarch64
    "ptrace": (101, 117), "process_vm_readv": (310, 270), "process_vm_writev": (311, 271),
    "mount": (165, 40), "umount2": (166, 39), "pivot_root": (155, 41), "chroot": (161, 51), "move_mount": (429, 429),
    "open_tree": (428, 428), "fsopen": (430, 430), "fsmount": (432, 432), "mount_setattr": (442, 442),
    "unshare": (272, 97), "setns": (308, 268), "bpf": (321, 280), "perf_event_open": (298, 241),
    "userfaultfd": (323, 282), "io_uring_setup": (425, 425), "keyctl": (250, 219), "add_key": (248, 217),
    "request_key": (249, 218), "memfd_create": (319, 279), "memfd_secret": (447, 447), "shmget": (29, 194),
    "semget": (64, 190), "msgget": (68, 186), "vmsplice": (278, 75), "socket": (41, 198), "socketpair": (53, 199),
    "open_by_handle_at": (304, 265), "personality": (135, 92),
}  # fmt: skip
CLONE, CLONE3, UNSHARE_FLAGS = (56, 220), (435, 435), 0x7E020000  # the flags that ask for new namespaces


def locked_in(serve, leash, limits, user):
    """Fork a process into a cell, run `serve()` there, and watch it until it ends or the leash is dropped.

    leash: a socket; what it is told at the end is why the process ended. Does not return.
    limits: "memory_mb", "scratch_mb", "file_mb", "processes", "cpu_seconds".  user: whom to become, if we are root.
    """
    unshare()
    others = processes()
    child = os.fork()
    if not child:
        try:
            leash.close()
            stripped(limits, user)
            code = serve() or 0
        except BaseException as fault:
            os.write(2, f"the cell could not be entered: {fault!r}\n".encode())
            code = 71
        os._exit(code)
    leash.sendall(watched(child, leash, limits["memory_mb"], others).encode())
    os._exit(0)


def unshare():
    root = os.geteuid() == 0
    namespaces = CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWNET | CLONE_NEWUTS  # mounts: the child's alone, see `stripped`
    user, group = os.geteuid(), os.getegid()
    checked(libc.unshare(namespaces | (0 if root else CLONE_NEWUSER)), "unshare")
    if not root:
        for name, text in (("setgroups", "deny"), ("uid_map", f"{user} {user} 1"), ("gid_map", f"{group} {group} 1")):
            with open(f"/proc/self/{name}", "w") as file:
                file.write(text)


def stripped(limits, user):
    """Own folders, limits, no rights: in this order, for each takes away what the one before needed."""
    checked(libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0), "prctl")
    root = os.geteuid() == 0
    user, group = (user, user) if root else (os.geteuid(), os.getegid())
    checked(libc.unshare(CLONE_NEWNS), "unshare")  # not before: whoever watches needs the /proc that is covered here
    mounted(b"none", b"/", None, MS_REC | MS_PRIVATE, None)
    reserved = int(read("/proc/self/statm").split()[0]) * os.sysconf("SC_PAGE_SIZE")
    owner = f"uid={user},gid={group},mode=700"
    for folder, megabytes in (("/scratch", limits["scratch_mb"]), ("/dev/shm", 16)):
        options = f"size={megabytes}m,nr_inodes=20000,{owner}"
        mounted(b"tmpfs", folder.encode(), b"tmpfs", MS_NOSUID | MS_NODEV, options.encode())
    facts = {name: read(f"/proc/{name}") for name in ("cpuinfo", "meminfo", "stat", "self/cmdline")}
    mounted(b"tmpfs", b"/proc", b"tmpfs", MS_NOSUID | MS_NODEV, b"size=1m,mode=755")
    os.mkdir("/proc/self")
    os.symlink(sys.executable, "/proc/self/exe")
    for name, content in facts.items():  # what libraries look up; TensorFlow will not start without
        with open(f"/proc/{name}", "wb") as file:
            file.write(content)
    os.chdir("/scratch")
    megabyte = 2**20
    for name, most in (
        ("NPROC", limits["processes"]),
        ("DATA", limits["memory_mb"] * megabyte),
        ("AS", limits["memory_mb"] * megabyte + reserved + SLACK),
        ("FSIZE", limits["file_mb"] * megabyte),
        ("NOFILE", 256),
        ("CPU", limits["cpu_seconds"]),
        ("CORE", 0),
        ("MSGQUEUE", 0),
    ):
        resource.setrlimit(getattr(resource, f"RLIMIT_{name}"), (most, most))
    for capability in range(64):
        libc.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0)
    if root:
        os.setgroups([])
        os.setresgid(group, group, group)
        os.setresuid(user, user, user)
        checked(libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0), "prctl")  # a change of user clears it
    else:
        header, nothing = struct.pack("Ii", 0x20080522, 0), bytes(24)
        checked(libc.capset(header, nothing), "capset")
    checked(libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "prctl")
    without_system_calls()


def without_system_calls():
    """A filter of the kernel's (seccomp) that refuses FORBIDDEN_CALLS, here and in all that this process starts."""
    machine = platform.machine()
    column = {"x86_64": 0, "aarch64": 1}.get(machine)
    if column is None:
        raise OSError(f"no list of system calls for {machine}")
    architecture = (0xC000003E, 0xC00000B7)[column]
    load, equal, above, any_bit, result = 0x20, 0x15, 0x35, 0x45, 0x06  # BPF's instructions
    refuse, unknown, allow, kill = 0x00050001, 0x00050026, 0x7FFF0000, 0x80000000  # EPERM; ENOSYS; let pass; kill
    program = [
        (load, 0, 0, 4), (equal, 1, 0, architecture), (result, 0, 0, kill),
        (load, 0, 0, 0), (above, 0, 1, 0x40000000), (result, 0, 0, kill),  # x86's second set of numbers
        (equal, 0, 1, CLONE3[column]), (result, 0, 0, unknown),  # then the C library falls back on clone
    ]  # fmt: skip
    for numbers in FORBIDDEN_CALLS.values():
        program += [(equal, 0, 1, numbers[column]), (result, 0, 0, refuse)]
    program += [
        (equal, 0, 3, CLONE[column]), (load, 0, 0, 16), (any_bit, 0, 1, UNSHARE_FLAGS), (result, 0, 0, refuse),
        (result, 0, 0, allow),
    ]  # fmt: skip
    code = b"".join(struct.pack("HBBI", *instruction) for instruction in program)
    buffer = ctypes.create_string_buffer(code, len(code))
    pointer = ctypes.create_string_buffer(struct.pack("HxxxxxxP", len(program), ctypes.addressof(buffer)))
    checked(libc.prctl(PR_SET_SECCOMP, 2, pointer, 0, 0), "seccomp")


def watched(child, leash, memory_mb, others):
    """Wait for the child's end, and bring it about if the leash drops or all its processes need too much memory."""
    ended = os.pidfd_open(child)
    poll = select.poll()
    poll.register(ended, select.POLLIN)
    poll.register(leash, select.POLLIN)
    reason = ""
    while True:
        happened = {number for number, _ in poll.poll(200)}
        if ended in happened:
            break
        if leash.fileno() in happened:
            os.kill(child, signal.SIGKILL)
            poll.unregister(leash)
        elif memory(processes() - others) > memory_mb * 1024:
            reason = f"it needed more than {memory_mb:,} MB of memory"
            os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    if reason:
        return reason
    if os.WIFSIGNALED(status):
        return f"it was ended by {signal.Signals(os.WTERMSIG(status)).name}"
    return f"it ended itself with exit code {os.WEXITSTATUS(status)}"


def processes():
    return {name for name in os.listdir("/proc") if name.isdigit()}


def memory(numbers):
    """Kilobytes that these processes take."""
    return sum(kilobytes(f"/proc/{number}") for number in numbers)


def kilobytes(place):
    """What a process takes; a page that two share counts half for each.

    A process can hide that figure (it makes itself undumpable, or ends its first thread). Then whole pages are counted.
    """
    for task in (place, *(f"{place}/task/{name}" for name in listed(f"{place}/task"))):
        for file, fields in (("smaps_rollup", (b"Pss:",)), ("status", (b"RssAnon:", b"RssShmem:"))):
            lines = [line.split() for line in read(f"{task}/{file}").splitlines()]
            if found := [int(line[1]) for line in lines if line and line[0] in fields]:
                return sum(found)
    return 0


def listed(path):
    try:
        return os.listdir(path)
    except OSError:
        return []


def read(path):
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError:
        return b""


def mounted(*what):
    source, target, kind, flags, options = what
    checked(libc.mount(source, target, kind, ctypes.c_ulong(flags), options), f"mount {target.decode()}")


def checked(result, what):
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")
