import CNetfilter

/// A kernel enum whose cases number the attributes of one nest.
protocol AttributeNumber {
  var rawValue: UInt32 { get }
}

extension nft_bitwise_attributes: AttributeNumber {}
extension nft_byteorder_attributes: AttributeNumber {}
extension nft_chain_attributes: AttributeNumber {}
extension nft_cmp_attributes: AttributeNumber {}
extension nft_connlimit_attributes: AttributeNumber {}
extension nft_counter_attributes: AttributeNumber {}
extension nft_ct_attributes: AttributeNumber {}
extension nft_dynset_attributes: AttributeNumber {}
extension nft_exthdr_attributes: AttributeNumber {}
extension nft_fib_attributes: AttributeNumber {}
extension nft_flowtable_attributes: AttributeNumber {}
extension nft_flowtable_hook_attributes: AttributeNumber {}
extension nft_hash_attributes: AttributeNumber {}
extension nft_hook_attributes: AttributeNumber {}
extension nft_immediate_attributes: AttributeNumber {}
extension nft_last_attributes: AttributeNumber {}
extension nft_limit_attributes: AttributeNumber {}
extension nft_log_attributes: AttributeNumber {}
extension nft_lookup_attributes: AttributeNumber {}
extension nft_masq_attributes: AttributeNumber {}
extension nft_meta_attributes: AttributeNumber {}
extension nft_nat_attributes: AttributeNumber {}
extension nft_ng_attributes: AttributeNumber {}
extension nft_object_attributes: AttributeNumber {}
extension nft_objref_attributes: AttributeNumber {}
extension nft_osf_attributes: AttributeNumber {}
extension nft_payload_attributes: AttributeNumber {}
extension nft_queue_attributes: AttributeNumber {}
extension nft_quota_attributes: AttributeNumber {}
extension nft_range_attributes: AttributeNumber {}
extension nft_redir_attributes: AttributeNumber {}
extension nft_reject_attributes: AttributeNumber {}
extension nft_rt_attributes: AttributeNumber {}
extension nft_rule_attributes: AttributeNumber {}
extension nft_set_attributes: AttributeNumber {}
extension nft_set_elem_attributes: AttributeNumber {}
extension nft_set_elem_list_attributes: AttributeNumber {}
extension nft_set_desc_attributes: AttributeNumber {}
extension nft_socket_attributes: AttributeNumber {}
extension nft_synproxy_attributes: AttributeNumber {}
extension nft_table_attributes: AttributeNumber {}
extension nft_target_attributes: AttributeNumber {}
extension nft_match_attributes: AttributeNumber {}
extension nft_tproxy_attributes: AttributeNumber {}
extension nft_trace_attributes: AttributeNumber {}
extension nft_tunnel_attributes: AttributeNumber {}
extension nft_verdict_attributes: AttributeNumber {}
extension nft_xfrm_attributes: AttributeNumber {}
extension nft_dup_attributes: AttributeNumber {}
extension nft_fwd_attributes: AttributeNumber {}
extension nft_ct_expectation_attributes: AttributeNumber {}
extension nft_ct_helper_attributes: AttributeNumber {}
extension nft_ct_timeout_timeout_attributes: AttributeNumber {}
extension nft_offload_attributes: AttributeNumber {}

/// Attributes that the headers of Debian 12 (Linux 6.1) do not have yet.
///
/// Source: `linux/netfilter/nf_tables.h` of Linux 6.18.
enum NewerAttribute {
  /// `NFTA_BITWISE_SREG2`.
  static let bitwiseSecondSource = 8
  /// `NFTA_SET_COUNT`.
  static let setCount = 20
  /// `NFTA_INNER_NUM`, which is not used.
  static let innerNumber = 1
  /// `NFTA_INNER_TYPE`.
  static let innerType = 2
  /// `NFTA_INNER_FLAGS`.
  static let innerFlags = 3
  /// `NFTA_INNER_HDRSIZE`.
  static let innerHeaderSize = 4
  /// `NFTA_INNER_EXPR`.
  static let innerExpression = 5
}
