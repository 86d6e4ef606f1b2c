# The first process of the node's namespaces: sets them up, says `ready`, and becomes PAUSE.
# Usage: sh -eu node.sh STATE PAUSE PLAN; PLAN is for who reads the command line.

mount -t tmpfs -o mode=0755 tmpfs /run
mkdir /run/penstock
mount --bind "$1" /run/penstock
mount -t tmpfs -o mode=0755 tmpfs /var/log

# Kubernetes fixes the names of two folders in /var/lib: the node has a /var/lib of its own, in which the rest is linked.
mkdir /run/var-lib
mount --rbind /var/lib /run/var-lib
mount -t tmpfs -o mode=0755 tmpfs /var/lib
for path in /run/var-lib/*; do
  ln -s "$path" /var/lib/
done
rm -f /var/lib/kubelet /var/lib/cni
mkdir /var/lib/kubelet /var/lib/cni
mount --bind "$1/kubelet" /var/lib/kubelet

# The kubelet writes these, and they belong to the whole machine: here it gets copies.
for name in vm/overcommit_memory vm/panic_on_oom kernel/panic kernel/panic_on_oops \
    kernel/keys/root_maxkeys kernel/keys/root_maxbytes; do
  mkdir -p "/run/sysctl/${name%/*}"
  cat "/proc/sys/$name" >"/run/sysctl/$name"
  mount --bind "/run/sysctl/$name" "/proc/sys/$name"
done

# Of the mounts from here on, containerd and the kubelet see each other's, as they expect; nothing outside sees them.
mount --make-rshared /

ip link set lo up
ip link add node0 type bridge
ip address add 10.77.0.1/24 dev node0
ip link set node0 up
# An address of a service needs a route before iptables turns it into that of a pod.
ip route add default dev node0
echo 1 >/proc/sys/net/ipv4/ip_forward

echo ready
exec "$2" </dev/null >/dev/null 2>&1
