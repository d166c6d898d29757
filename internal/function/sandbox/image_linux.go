package sandbox

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"strings"

	"golang.org/x/sys/unix"
)

// mountImage makes a directory of the host this process's root, with /dev, /proc
// and /tmp of its own. Nothing is created in it.
func mountImage(c *initConfig) error {
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("make mounts private: %w", err)
	}
	for _, step := range []func(*initConfig) error{showImage, mountTmp, mountProc, pivotRoot} {
		if err := step(c); err != nil {
			return err
		}
	}
	return nil
}

// showImage attaches the directory at c.Root, with /dev and the files of /etc that
// are of this machine.
func showImage(c *initConfig) error {
	const attributes = unix.MOUNT_ATTR_RDONLY | unix.MOUNT_ATTR_NOSUID | unix.MOUNT_ATTR_NODEV
	if err := attach(c.Image, c.Root, attributes); err != nil {
		return err
	}
	if err := unix.Mount("tmpfs", c.Root+"/dev", "tmpfs", unix.MS_NOSUID|unix.MS_NODEV, "mode=755,size=2m"); err != nil {
		return fmt.Errorf("mount /dev: %w", err)
	}
	if err := mountDevices(c); err != nil {
		return err
	}
	if err := nameUser(c); err != nil {
		return err
	}
	// It is made where a file can be, and has no name any more once it is mounted.
	made := c.Root + "/dev/hosts"
	if err := writeHosts(c, made); err != nil {
		return err
	}
	hosts := cond(c.Hosts != "", made, hostsFile)
	for name, source := range map[string]string{"/etc/resolv.conf": "/etc/resolv.conf", hostsFile: hosts} {
		if _, err := os.Stat(source); err != nil {
			continue
		}
		if err := attach(source, c.Root+name, attributes|unix.MOUNT_ATTR_NOEXEC); err != nil {
			return err
		}
	}
	if c.Hosts != "" {
		if err := os.Remove(made); err != nil {
			return err
		}
	}
	if err := unix.Mount("", c.Root+"/dev", "", unix.MS_REMOUNT|unix.MS_BIND|unix.MS_RDONLY|unix.MS_NOSUID|unix.MS_NODEV, ""); err != nil {
		return fmt.Errorf("mount /dev: %w", err)
	}
	return nil
}

// maxAccounts is how long an image's list of accounts may be to be added to.
const maxAccounts = 1 << 20

// nameUser adds the sandbox's user to the image's accounts, as Lambda does: many
// programs look themselves up. A list that isn't a plain file is left alone.
func nameUser(c *initConfig) error {
	const name = "/etc/passwd"
	f, err := os.OpenFile(c.Root+name, os.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil || !info.Mode().IsRegular() || info.Size() > maxAccounts {
		return nil
	}
	accounts, err := io.ReadAll(f)
	if err != nil {
		return nil
	}
	if len(accounts) > 0 && accounts[len(accounts)-1] != '\n' {
		accounts = append(accounts, '\n')
	}
	accounts = fmt.Appendf(accounts, "sbx_user1051:x:%d:%d::/home/sbx_user1051:/sbin/nologin\n", c.UID, c.GID)
	// It is made on the one file system here that can be written, and has no name
	// any more once it is mounted.
	made := c.Root + "/dev/passwd"
	if err := os.WriteFile(made, accounts, 0o644); err != nil {
		return fmt.Errorf("name the user: %w", err)
	}
	const attributes = unix.MOUNT_ATTR_RDONLY | unix.MOUNT_ATTR_NOSUID | unix.MOUNT_ATTR_NODEV | unix.MOUNT_ATTR_NOEXEC
	return errors.Join(attach(made, c.Root+name, attributes), os.Remove(made))
}

// findProgram finds the program to start: as it is named, or in PATH if it is a
// bare name and the root is an image's. The search is for what anybody may
// execute. Its errors are in the words of AWS's Runtime Interface Emulator.
func findProgram(c *initConfig) (string, error) {
	name := c.Args[0]
	if c.Image == "" {
		return name, nil
	}
	if info, err := os.Stat(c.Dir); err != nil || !info.IsDir() {
		return "", fmt.Errorf("the working directory doesn't exist: %s", c.Dir)
	}
	if strings.Contains(name, "/") {
		return name, nil
	}
	for _, entry := range c.Env {
		list, ok := strings.CutPrefix(entry, "PATH=")
		if !ok {
			continue
		}
		for dir := range strings.SplitSeq(list, ":") {
			file := path.Join(dir, name)
			if info, err := os.Stat(file); err == nil && path.IsAbs(file) && info.Mode().IsRegular() && info.Mode()&0o001 != 0 {
				return file, nil
			}
		}
	}
	return "", fmt.Errorf("exec: %q: executable file not found in $PATH", name)
}
