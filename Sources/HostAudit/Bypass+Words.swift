extension Bypass {
  /// What it lets happen, in one sentence.
  public var consequence: String {
    switch self {
    case .packetSockets:
      "A packet socket sends whole frames past every ip, ip6 and inet rule; only netdev egress rules "
        + "see them."
    case .xdpSockets: "An AF_XDP socket sends frames past every hook, netdev egress rules too."
    case .capabilities:
      "A process with CAP_NET_RAW opens packet sockets and sets marks; with CAP_NET_ADMIN or "
        + "CAP_SYS_ADMIN it changes the rules themselves; with CAP_BPF it loads programs."
    case .userNamespaces:
      "Anyone may become root of a user namespace with a network of its own; it has no way out unless "
        + "somebody gives it a link."
    case .xdpPrograms:
      "An XDP program may answer, rewrite or redirect frames before any rule sees them."
    case .trafficControl:
      "A classifier may rewrite packets behind the rules, or send them out of another device."
    case .netfilterPrograms:
      "A BPF program among the hooks may drop or accept packets, and no listing of rules shows it."
    case .cgroupPrograms:
      "A program of a control group may rewrite a connection's destination before the rules see it, "
        + "or drop packets."
    case .legacyTables:
      "Legacy tables drop, mark and translate packets at the same hooks, and no listing of nf_tables "
        + "shows them."
    case .flowtables: "Packets of an offloaded flow skip the forward chain."
    case .forwarding:
      "Packets of other hosts and namespaces leave through this one by the forward hook, never by "
        + "output."
    case .bridges: "Frames between the ports of a bridge meet bridge rules only."
    case .childLinks: "A child link in another namespace sends past every IP hook of its parent."
    case .tunDevices:
      "Who holds the device injects packets that are forwarded, never sent, and reads what is routed "
        + "into it."
    case .tunnels:
      "Packets that enter a tunnel leave as packets of the tunnel: rules on the outside see its ends."
    case .ipsec:
      "Packets are wrapped after the output rules have seen them; the wrapped ones go to "
        + "another address."
    case .routeEncapsulation:
      "A route wraps packets, or steers them by segments: the address that rules see is then not where "
        + "they go."
    case .otherNamespaces:
      "A process in another network namespace is under the rules there; these rules see its packets "
        + "only if they are forwarded here."
    case .marks:
      "Whoever holds CAP_NET_RAW or CAP_NET_ADMIN gives a packet any mark, and with it what "
        + "the rules or routes grant to that mark."
    case .identity:
      "A socket keeps the user and the control group of its maker: handed on, it speaks in the maker's "
        + "name."
    case .destinationRewriting:
      "A packet's destination changes in the output hook, so that an earlier rule judges an address to "
        + "which it does not go."
    case .packetRewriting:
      "A rule rewrites, copies or hands over packets, after other rules have judged them."
    case .untracked:
      "An untracked packet is neither new nor established: rules that ask for a state do not match it."
    case .fragments:
      "Where nobody asks for a connection's state, later fragments reach the rules without their "
        + "ports; a raw socket can do so for IPv4 in any case (IP_NODEFRAG)."
    case .helpers:
      "A helper opens the ports that a conversation names, and rules that accept related connections "
        + "let them pass."
    case .loosePickup:
      "Conntrack takes a segment from the middle of an unknown connection for the start of one."
    case .loopbackProxies:
      "A local program sends on behalf of whoever reaches it, and DNS carries data out."
    case .otherProtocols: "Packets that are not IP meet no ip, ip6 or inet rule."
    case .kernelPackets:
      "The kernel sends ARP by itself, which only arp rules see, and neighbour discovery, MLD and IGMP."
    }
  }

  /// What to do about it, in one sentence.
  public var remedy: String {
    switch self {
    case .packetSockets:
      "End the process, take CAP_NET_RAW from it, or seal the links with `weir seal`; DHCP clients and "
        + "packet loggers need it."
    case .xdpSockets:
      "End the process, or take CAP_NET_RAW from it; packet loggers need it."
    case .capabilities:
      "Take the capability from every process that you do not trust with the rules."
    case .userNamespaces:
      "Set user.max_user_namespaces to 0 where nothing needs them (containers and browsers do)."
    case .xdpPrograms:
      "Look at the program with bpftool, and detach it with `ip link set … xdp off`."
    case .trafficControl:
      "Look with `tc filter show dev … egress`, and delete what you do not know."
    case .netfilterPrograms, .cgroupPrograms:
      "Look with `bpftool link` and `bpftool cgroup tree`, and detach what you do not know."
    case .legacyTables:
      "List them with iptables-legacy-save; move the rules to nf_tables and unload the modules."
    case .flowtables: "Judge the flows before they are offloaded, or delete the flowtable."
    case .forwarding: "Turn forwarding off, or filter in a forward chain as strictly as in output."
    case .bridges:
      "Filter in the bridge family, or load br_netfilter and turn bridge-nf-call-iptables and "
        + "bridge-nf-call-ip6tables on."
    case .childLinks: "Filter in the namespace of the child, or at netdev egress of the parent."
    case .tunDevices: "Audit who holds the device, and filter in the forward chain."
    case .tunnels: "Allow the far end only, and filter what goes into the tunnel by its link."
    case .ipsec: "Audit the policies with `ip xfrm policy`."
    case .routeEncapsulation: "Delete the route, or audit where it leads."
    case .otherNamespaces: "Audit each with --netns."
    case .marks: "Do not grant anything to a mark, or take the capabilities from what you confine."
    case .identity: "Keep descriptors from being handed on, and make sockets after the move."
    case .destinationRewriting: "Judge after the translation, in a later chain or in postrouting."
    case .packetRewriting: "Judge after the rewriting, and audit the program behind a queue."
    case .untracked: "Drop what is untracked, link control aside."
    case .fragments: "Ask for the conntrack state in both families, and drop later fragments."
    case .helpers: "Set nf_conntrack_helper to 0, and name the helper for each port that needs it."
    case .loosePickup:
      "Set net.netfilter.nf_conntrack_tcp_loose to 0, or accept new TCP flows by SYN only."
    case .loopbackProxies: "Filter what the proxy sends by its own user, and limit who reaches it."
    case .otherProtocols: "Unload the protocol's module, or close the sockets."
    case .kernelPackets: "Filter in the arp family where it matters."
    }
  }
}
