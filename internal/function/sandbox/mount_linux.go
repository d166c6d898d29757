package sandbox

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// systemDirs hold programs and libraries; distributions that merged /usr make
// some of them links into it.
var systemDirs = []string{"/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32"}

// etcEntries are the parts of /etc that programs need and that hold no secrets
// an unprivileged user could read. Patterns, because Java's configuration
// carries its version.
var etcEntries = []string{
	"/etc/ld.so.cache", "/etc/ld.so.conf", "/etc/ld.so.conf.d", "/etc/alternatives",
	"/etc/ssl", "/etc/pki", "/etc/ca-certificates", "/etc/crypto-policies",
	"/etc/resolv.conf", "/etc/hosts", "/etc/host.conf", "/etc/nsswitch.conf", "/etc/gai.conf",
	"/etc/services", "/etc/protocols", "/etc/localtime", "/etc/timezone", "/etc/mime.types",
	"/etc/java*", "/etc/os-release",
}

var deviceNodes = []string{"/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom"}

// buildRoot assembles the sandbox's file system below root, an empty directory
// of the host, and makes it this process's root.
func buildRoot(c *initConfig) error {
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("make mounts private: %w", err)
	}
	if err := unix.Mount("tmpfs", c.Root, "tmpfs", unix.MS_NOSUID|unix.MS_NODEV, "mode=755,size=1m"); err != nil {
		return fmt.Errorf("mount root: %w", err)
	}
	steps := []func(*initConfig) error{mountSystem, mountDevices, mountBinds, makeLinks, mountLayers, mountTmp, writeAccounts, mountProc, enterRoot}
	for _, step := range steps {
		if err := step(c); err != nil {
			return err
		}
	}
	return unix.Mount("", "/", "", unix.MS_REMOUNT|unix.MS_BIND|unix.MS_RDONLY|unix.MS_NOSUID|unix.MS_NODEV, "")
}

func mountSystem(c *initConfig) error {
	for _, dir := range systemDirs {
		if target, err := os.Readlink(dir); err == nil {
			if err := os.Symlink(target, c.Root+dir); err != nil {
				return err
			}
			continue
		}
		if err := bindIfPresent(c.Root, dir); err != nil {
			return err
		}
	}
	for _, pattern := range etcEntries {
		names, err := filepath.Glob(pattern)
		if err != nil {
			return err
		}
		for _, name := range names {
			if name == hostsFile && c.Hosts != "" {
				continue
			}
			if err := bindIfPresent(c.Root, name); err != nil {
				return err
			}
		}
	}
	return writeHosts(c, c.Root+hostsFile)
}

func bindIfPresent(root, path string) error {
	if _, err := os.Stat(path); err != nil {
		return nil
	}
	return bind(path, root+path, unix.MOUNT_ATTR_RDONLY|unix.MOUNT_ATTR_NOSUID|unix.MOUNT_ATTR_NODEV)
}

func mountDevices(c *initConfig) error {
	for _, node := range deviceNodes {
		if err := bind(node, c.Root+node, unix.MOUNT_ATTR_NOSUID|unix.MOUNT_ATTR_NOEXEC); err != nil {
			return err
		}
	}
	for name, target := range map[string]string{
		"fd": "/proc/self/fd", "stdin": "/proc/self/fd/0", "stdout": "/proc/self/fd/1", "stderr": "/proc/self/fd/2",
	} {
		if err := os.Symlink(target, c.Root+"/dev/"+name); err != nil {
			return err
		}
	}
	return nil
}

func mountBinds(c *initConfig) error {
	for _, b := range c.Binds {
		if err := bind(b.Source, c.Root+b.Target, unix.MOUNT_ATTR_RDONLY|unix.MOUNT_ATTR_NOSUID|unix.MOUNT_ATTR_NODEV); err != nil {
			return err
		}
	}
	return nil
}

// mountLayers merges the layers with an overlay whose leftmost directory wins.
func mountLayers(c *initConfig) error {
	if c.LayersAt == "" {
		return nil
	}
	target := c.Root + c.LayersAt
	lower := leftmostFirst(c.Layers)
	switch len(lower) {
	case 0:
		return os.MkdirAll(target, 0o755)
	case 1:
		return bind(lower[0], target, unix.MOUNT_ATTR_RDONLY|unix.MOUNT_ATTR_NOSUID|unix.MOUNT_ATTR_NODEV)
	}
	if err := os.MkdirAll(target, 0o755); err != nil {
		return err
	}
	for i, dir := range lower {
		lower[i] = strings.NewReplacer(`\`, `\\`, ":", `\:`, ",", `\,`).Replace(dir)
	}
	flags := uintptr(unix.MS_RDONLY | unix.MS_NOSUID | unix.MS_NODEV)
	if err := unix.Mount("overlay", target, "overlay", flags, "lowerdir="+strings.Join(lower, ":")); err != nil {
		return fmt.Errorf("merge layers: %w", err)
	}
	return nil
}

// leftmostFirst turns layers round, for an overlay. Layers of the same content
// share a directory, which an overlay takes once only.
func leftmostFirst(layers []string) []string {
	var lower []string
	for _, dir := range slices.Backward(layers) {
		if !slices.Contains(lower, dir) {
			lower = append(lower, dir)
		}
	}
	return lower
}

func mountTmp(c *initConfig) error {
	target := c.Root + "/tmp"
	if err := os.MkdirAll(target, 0o755); err != nil {
		return err
	}
	if c.HasTmp {
		if err := unix.MoveMount(tmpFD, "", unix.AT_FDCWD, target, unix.MOVE_MOUNT_F_EMPTY_PATH); err != nil {
			return fmt.Errorf("mount /tmp: %w", err)
		}
		return nil
	}
	options := fmt.Sprintf("mode=700,uid=%d,gid=%d", c.UID, c.GID) // its user's alone: recorded
	if c.TmpMB > 0 {
		options += ",size=" + strconv.Itoa(c.TmpMB) + "m"
	}
	if err := unix.Mount("tmpfs", target, "tmpfs", unix.MS_NOSUID|unix.MS_NODEV, options); err != nil {
		return fmt.Errorf("mount /tmp: %w", err)
	}
	return nil
}

func makeLinks(c *initConfig) error {
	for _, dir := range c.MountPoints {
		if err := os.MkdirAll(c.Root+dir, 0o755); err != nil {
			return err
		}
	}
	for _, link := range c.Links {
		name := c.Root + link.Name
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			return err
		}
		if err := os.Symlink(link.Target, name); err != nil {
			return err
		}
	}
	return nil
}

// writeAccounts names the sandbox's user as Lambda does, so that programs
// which look themselves up find an entry.
func writeAccounts(c *initConfig) error {
	passwd := fmt.Sprintf("root:x:0:0:root:/root:/sbin/nologin\nsbx_user1051:x:%d:%d::/home/sbx_user1051:/sbin/nologin\n", c.UID, c.GID)
	groups := fmt.Sprintf("root:x:0:\nsbx_user1051:x:%d:\n", c.GID)
	return errors.Join(
		os.MkdirAll(c.Root+"/etc", 0o755),
		os.WriteFile(c.Root+"/etc/passwd", []byte(passwd), 0o644),
		os.WriteFile(c.Root+"/etc/group", []byte(groups), 0o644))
}

// enterRoot makes the new tree this process's root and lets go of the old one.
func enterRoot(c *initConfig) error {
	for _, dir := range []string{"/run", "/home", "/var/tmp"} {
		if err := os.MkdirAll(c.Root+dir, 0o755); err != nil {
			return err
		}
	}
	return pivotRoot(c)
}

func pivotRoot(c *initConfig) error {
	if err := unix.Chdir(c.Root); err != nil {
		return err
	}
	if err := unix.PivotRoot(".", "."); err != nil {
		return fmt.Errorf("pivot root: %w", err)
	}
	if err := unix.Unmount(".", unix.MNT_DETACH); err != nil {
		return fmt.Errorf("detach old root: %w", err)
	}
	return unix.Chdir("/")
}

// mountProc shows the sandbox's own processes. It must come before the old root
// goes: in a user namespace the kernel only allows it while a complete /proc
// is still in sight.
func mountProc(c *initConfig) error {
	target := c.Root + "/proc"
	if err := os.MkdirAll(target, 0o755); err != nil {
		return err
	}
	if err := unix.Mount("proc", target, "proc", unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC, ""); err != nil {
		return fmt.Errorf("mount /proc: %w", err)
	}
	return maskProc(target)
}

// What the kernel shows of itself in /proc is guarded by ownership, mostly. This
// is the second lock: nothing to read in some files, nothing to set in others.
var (
	hiddenInProc = []string{"kcore", "keys", "kmsg", "kpagecount", "kpageflags", "latency_stats", "sched_debug", "sysrq-trigger", "timer_list"}
	fixedInProc  = []string{"sys", "irq", "bus", "fs"}
)

func maskProc(proc string) error {
	const attributes = unix.MOUNT_ATTR_RDONLY | unix.MOUNT_ATTR_NOSUID | unix.MOUNT_ATTR_NOEXEC
	cover := func(source, target string, attributes uint64) error {
		if _, err := os.Lstat(target); err != nil {
			return nil // not in this kernel
		}
		return attach(source, target, attributes)
	}
	for _, name := range hiddenInProc {
		if err := cover("/dev/null", filepath.Join(proc, name), attributes); err != nil {
			return err
		}
	}
	for _, name := range fixedInProc {
		dir := filepath.Join(proc, name)
		if err := cover(dir, dir, attributes|unix.MOUNT_ATTR_NODEV); err != nil {
			return err
		}
	}
	return nil
}

// bind attaches source at target with the given mount attributes, in the whole
// subtree, creating the mount point.
func bind(source, target string, attributes uint64) error {
	if err := makeMountPoint(source, target); err != nil {
		return fmt.Errorf("bind %s: %w", source, err)
	}
	return attach(source, target, attributes)
}

// attach is bind for a mount point that is there already.
func attach(source, target string, attributes uint64) error {
	tree, err := cloneTree(source, attributes)
	if err != nil {
		return err
	}
	defer unix.Close(tree)
	if err := unix.MoveMount(tree, "", unix.AT_FDCWD, target, unix.MOVE_MOUNT_F_EMPTY_PATH); err != nil {
		return fmt.Errorf("bind %s: %w", source, err)
	}
	return nil
}

// cloneTree makes a mount of a directory or file, with the given attributes,
// that isn't attached anywhere yet. The caller closes it.
func cloneTree(source string, attributes uint64) (tree int, err error) {
	tree, err = unix.OpenTree(unix.AT_FDCWD, source, unix.OPEN_TREE_CLONE|unix.OPEN_TREE_CLOEXEC|unix.AT_RECURSIVE)
	if err != nil {
		return -1, fmt.Errorf("bind %s: open tree: %w", source, err)
	}
	attr := unix.MountAttr{Attr_set: attributes}
	if err := unix.MountSetattr(tree, "", unix.AT_EMPTY_PATH|unix.AT_RECURSIVE, &attr); err != nil {
		unix.Close(tree)
		return -1, fmt.Errorf("bind %s: set attributes: %w", source, err)
	}
	return tree, nil
}

func makeMountPoint(source, target string) error {
	info, err := os.Stat(source)
	if err != nil {
		return err
	}
	if info.IsDir() {
		return os.MkdirAll(target, 0o755)
	}
	if err := os.MkdirAll(filepath.Dir(target), 0o755); err != nil {
		return err
	}
	f, err := os.OpenFile(target, os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	return f.Close()
}
