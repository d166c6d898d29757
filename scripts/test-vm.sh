#!/usr/bin/env bash
# Runs butai's isolation on a host such as its users have: Debian 12 with its own
# kernel, control groups v2, systemd and ordinary users, in a virtual machine.
# Needs root and some minutes, ten times as many where there is no KVM.
#
#   scripts/test-vm.sh [CASE...]   image, doctor, container, sandbox, function, demo; all if none is named
set -euo pipefail
cd "$(dirname "$0")/.."
vm=$PWD/.tools/vm
port=$((20000 + RANDOM % 10000))
failed=0

say() { echo "test-vm: $*" >&2; }
have() { command -v "$1" >/dev/null 2>&1; }

install_tools() {
	local wanted=()
	have qemu-system-x86_64 || wanted+=(qemu-system-x86)
	have qemu-img || wanted+=(qemu-utils)
	have mmdebstrap || wanted+=(mmdebstrap)
	have mke2fs || wanted+=(e2fsprogs)
	have ssh || wanted+=(openssh-client)
	[ ${#wanted[@]} -eq 0 ] && return
	apt-get update -qq
	DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${wanted[@]}" >/dev/null
}

# make_image installs Debian: root and ann, who is nobody special, log in by key.
make_image() {
	local boto3
	boto3=$(sed -n 's/^boto3=\([0-9.]*\).*/\1/p' scripts/setup.sh)
	say "installing Debian 12 into .tools/vm"
	rm -rf "$vm" && mkdir -p "$vm"
	ssh-keygen -q -t ed25519 -N '' -f "$vm/key"
	mmdebstrap --quiet --variant=minbase --aptopt='Apt::Install-Recommends "false"' \
		--include=linux-image-amd64,systemd-sysv,dbus,libpam-systemd,udev,openssh-server,iproute2,procps,kmod,ca-certificates,apparmor,python3,nodejs \
		bookworm "$vm/root"
	local root=$vm/root home
	cp "$root"/boot/vmlinuz-* "$vm/vmlinuz"
	cp "$root"/boot/initrd.img-* "$vm/initrd"
	chroot "$root" useradd -m -s /bin/bash ann
	for home in root home/ann; do install -D -m 600 "$vm/key.pub" "$root/$home/.ssh/authorized_keys"; done
	chroot "$root" chown -R ann:ann /home/ann
	printf '[Match]\nName=en*\n[Network]\nDHCP=yes\n' >"$root/etc/systemd/network/any.network"
	chroot "$root" systemctl --quiet enable systemd-networkd ssh
	python3 -m pip install --quiet --root-user-action=ignore --target "$root/usr/local/lib/python3.11/dist-packages" "boto3==$boto3"
	truncate -s 4G "$vm/disk"
	mke2fs -q -F -t ext4 -d "$root" "$vm/disk"
	rm -rf "$root"
}

as() { # as USER COMMAND
	ssh -q -i "$vm/key" -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o ConnectTimeout=10 -p "$port" "$1@127.0.0.1" "$2"
}

boot() {
	local accel="tcg,thread=multi"
	! grep -qwE 'vmx|svm' /proc/cpuinfo || [ ! -w /dev/kvm ] || accel=kvm
	qemu-img create -q -f qcow2 -F raw -b "$vm/disk" "$vm/run"
	qemu-system-x86_64 -accel "$accel" -cpu max -smp 2 -m 2048 -display none -monitor none -no-reboot \
		-kernel "$vm/vmlinuz" -initrd "$vm/initrd" -append "root=/dev/vda rw console=ttyS0" -serial "file:$vm/console" \
		-drive "file=$vm/run,if=virtio,format=qcow2,cache=unsafe" -nic "user,model=virtio-net-pci,hostfwd=tcp:127.0.0.1:$port-:22" &
	trap 'kill %1 2>/dev/null; wait' EXIT
	until as root true; do kill -0 %1 || { tail "$vm/console"; exit 1; }; sleep 1; done
	local out=$vm/out
	mkdir -p "$out"
	CGO_ENABLED=0 go build -ldflags '-s -w' -o "$out/butai" ./cmd/butai
	CGO_ENABLED=0 go test -c -ldflags '-s -w' -o "$out/" ./internal/function/sandbox ./internal/function
	tar -C "$out" -c . | as root 'tar -C /usr/local/bin -x && chmod 755 /usr/local/bin'
}

# doctor USER COMMAND EXPECTED...: COMMAND starts butai doctor, and each line that
# is EXPECTED, an extended regular expression, is in what that says.
doctor() {
	local out line
	out=$(as "$1" "$2" 2>&1) || true
	for line in "${@:3}"; do
		grep -qE "$line" <<<"$out" || { failed=1; say "FAIL: as $1, $2: no '$line' in"; sed '/^Runtimes/,$d' <<<"$out"; return; }
	done
	echo "ok    as $1: $2"
}

run() { # run USER COMMAND: a test binary
	local out
	if out=$(as "$1" "cd /tmp && $2" 2>&1); then
		echo "ok    as $1: $2 ($(grep -cE '^--- PASS' <<<"$out") passed, $(grep -cE '^--- SKIP' <<<"$out") skipped)"
	else
		failed=1
		say "FAIL: as $1: $2"
		tail -n 60 <<<"$out"
	fi
}

limits=('yes  memory limit +control groups v2' 'yes  task limit +control groups v2' 'yes  processor +control groups v2' '  by control groups v2$')
full=('yes  file system' 'yes  processes' 'yes  user' "${limits[@]}")
weaker=('NO   file system' 'yes  file access' 'NO   processes .*killed as a whole' 'NO   user .*can signal' 'yes  system calls')
unlimited=('NO   memory limit' 'NO   task limit' 'NO   processor')
user_scope='XDG_RUNTIME_DIR=/run/user/1000 systemd-run --user --quiet --scope -p Delegate=yes'
service='systemd-run --quiet --wait --pipe'

test_doctor() {
	doctor root 'butai doctor' "${full[@]}" 'memory limit .*a scope'
	doctor root "$service -p Delegate=yes butai doctor" "${full[@]}"
	doctor root "$service sh -c 'butai doctor; true'" "${full[@]}" 'memory limit .*top of the hierarchy'
	doctor ann 'butai doctor' "${full[@]}" 'memory limit .*a scope'
	doctor ann "$user_scope butai doctor" "${full[@]}"
	doctor ann "$user_scope sh -c 'butai doctor; true'" "${full[@]}" 'memory limit .*a scope'
	doctor root "$service -p User=ann -p Delegate=yes butai doctor" "${full[@]}"
	doctor root "$service -p User=ann butai doctor" 'yes  file system' "${unlimited[@]}" 'add Delegate=yes' '  by SIGSTOP'
	as root 'sysctl -q kernel.unprivileged_userns_clone=0'
	doctor ann 'butai doctor' "${weaker[@]}" "${limits[@]}" 'sysctl kernel.unprivileged_userns_clone=1'
	as root 'sysctl -q kernel.unprivileged_userns_clone=1 user.max_user_namespaces=0'
	doctor ann 'butai doctor' "${weaker[@]}" "${limits[@]}" 'sysctl user.max_user_namespaces='
	as root 'sysctl -q user.max_user_namespaces=10000'
}

# test_container is what container engines do to a process, but for their images.
test_container() {
	local enter='mkdir /sys/fs/cgroup/box$$ && unshare -mpf --mount-proc sh -c "echo 0 >/sys/fs/cgroup/box$$/cgroup.procs; exec unshare -C sh -c \"umount /sys/fs/cgroup; mount -t cgroup2'
	local plain='exec setpriv --bounding-set -sys_admin,-sys_ptrace,-sys_module,-net_admin,-dac_read_search butai doctor'
	doctor root "$enter none /sys/fs/cgroup; exec butai doctor\\\"\"" "${full[@]}"
	doctor root "$enter none /sys/fs/cgroup; butai doctor; true\\\"\"" 'yes  file system' "${unlimited[@]}" 'only process'
	doctor root "$enter -o ro none /sys/fs/cgroup; $plain\\\"\"" 'NO   file system .*CAP_SYS_ADMIN' 'yes  file access' "${unlimited[@]}" 'without ro' '  by SIGSTOP'
}

test_sandbox() {
	run root 'sandbox.test -test.v'
	run root "$service -p Delegate=yes sandbox.test -test.v"
	run ann 'sandbox.test -test.v'
	as root 'sysctl -q kernel.unprivileged_userns_clone=0'
	run ann 'sandbox.test -test.v'
	as root 'sysctl -q kernel.unprivileged_userns_clone=1'
}

test_function() {
	local hostile="function.test -test.v -test.parallel=2 -test.run='Hostile|ForkBomb|NothingSurvives|ReportIsTrue|WeakerRungs|TmpIs|OutOfMemory|Freez|Frozen|SpareLimits|TestLimits|Hello'"
	run root "$hostile"
	run ann "$hostile"
	as root 'sysctl -q kernel.unprivileged_userns_clone=0'
	run ann "$hostile"
	as root 'sysctl -q kernel.unprivileged_userns_clone=1'
}

# test_demo deploys the user API: staging and production answer.
test_demo() {
	local story='butai demo --once --no-terraform --runtime python3.11'
	for user in root ann; do doctor "$user" "$story" 'production/user/nobody|staging/user/ada' '200 .*"name": ?"Ada"' 'production runs version 1 again'; done
}

[ "$(id -u)" -eq 0 ] || { say "please run as root"; exit 1; }
install_tools
[ "${1:-}" != image ] || { make_image; shift; [ $# -gt 0 ] || exit 0; }
[ -f "$vm/disk" ] || make_image
boot
for name in "${@:-doctor container sandbox function demo}"; do
	for one in $name; do "test_$one"; done
done
as root poweroff || true
exit "$failed"
