/// Rules as text, with every expression and every kind of set that the model knows.
enum SampleText {
  static let everything = """
    table inet sample {
      comment "managed by weir"
      counter private { comment "deny private rules/x.yaml:31:5"
      }
      map generation/out {
        type nf_proto : verdict
        elements = { * : goto g1/out }
      }
      map g1/dispatch-out {
        type nf_proto . ct_state . inet_proto : verdict
        size 16
        elements = { ipv4 . established . tcp : accept, ipv6 . new . tcp : goto g1/new }
      }
      map g1/destination4 {
        type ipv4_addr : verdict
        flags interval
        comment "hello"
        elements = { 8.8.8.8 : accept, 10.0.0.0/8 : goto g1/deny, * : goto g1/return,
          11.0.0.0/8 : drop, 240.0.0.0/4 : drop }
      }
      map g1/blocks { type ipv4_addr : verdict; size 2; elements = { 1.0.0.0 : goto g1/deny } }
      map trial { type nf_proto : verdict; flags timeout
        elements = { ipv4 timeout 1h : goto g1/out, * : drop } }
      map marks { type inet_service : mark; elements = { 80 : 0x5, 81 : 0x6 } }
      set raw { typeof @nh,128,32; flags interval; elements = { 0x1020304, 0xa000000-0xaffffff } }
      set hash { type ipv4_addr; size 3; elements = { 1.1.1.1, 1.1.1.2, 9.9.9.9 } }
      set hash6 { type ipv6_addr; size 2; elements = { ::1, 2001:db8::1 } }
      set ranges6 { type ipv6_addr; flags interval; elements = { ff00::/8, ::1, fe80::/10 } }
      set bottom { type ipv4_addr; flags interval; elements = { 0.0.0.0/8, 224.0.0.0/3 } }
      set names { type ipv4_addr; size 128; }
      set pairs { type ipv4_addr . inet_service; flags interval
        elements = { 1.2.3.0/24 . 80-90, 5.6.7.8 . 443 } }
      set commented { type inet_service; flags interval
        elements = { 60000-65535 comment "top", 25 comment "smtp" } }
      chain g1/deny {
        counter name "private"
        meta l4proto tcp reject with tcp reset
        reject with icmpx admin-prohibited
      }
      chain g1/new {
        comment "new flows"
        th sport 32768-60999 ip daddr vmap @g1/destination4
        ip frag-off & 0x3fff != 0 drop
        th dport != 100-200 drop comment "range"
        th dport vmap { 21 : goto g1/deny, 25 : drop }
        th dport vmap { 100-200 : goto g1/deny, 300 : accept, 60000-65535 : drop }
        tcp dport { 465, 587 } ip daddr 1.2.3.4 accept
        ct state vmap { established : accept, invalid : drop }
        meta mark { 1, 2 } accept
        ip daddr . th dport @pairs accept
        ip6 daddr != @ranges6 drop
        @nh,288,32 @raw drop
        meta nfproto ipv6 @nh,256,32 & 0xfdffffff == 0x5efe drop
        exthdr rt exists drop
        icmpv6 type { nd-router-solicit, nd-neighbor-solicit } ip6 hoplimit 255 accept
        fib daddr type broadcast drop
        meta length > 100 counter jump g1/return
        iifname "lo" accept
        meta skuid 1000 accept
        ct mark 7 accept
        ct direction original accept
      }
      chain g1/return { return
      }
      chain g1/out {
        comment "policy sample 0123"
        meta nfproto . ct state . meta l4proto vmap @g1/dispatch-out
        continue
      }
      chain output {
        type filter hook output priority filter; policy drop;
        meta mark set 0x7
        meta nfproto vmap @generation/out
        counter drop
      }
      chain nat {
        type nat hook prerouting priority dstnat; policy accept;
        meta l4proto tcp redirect to :9999
        udp dport 53 redirect
      }
    }
    """

  /// A second table, of another family and hook.
  static let second = """

    table ip second {
      set open { type inet_service; elements = { 80, 443 } }
      chain late {
        type filter hook output priority 10; policy accept;
        tcp dport != @open counter drop
      }
    }
    """
}
