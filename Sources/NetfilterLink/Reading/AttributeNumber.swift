import CNetfilter

/// A kernel enum whose cases number the attributes of one nest.
protocol AttributeNumber {
  var rawValue: UInt32 { get }
}

extension nft_bitwise_attributes: AttributeNumber {}
extension nft_byteorder_attributes: AttributeNumber {}
extension nft_chain_attributes: AttributeNumber {}
extension nft_cmp_attributes: AttributeNumber {}
extension nft_counter_attributes: AttributeNumber {}
extension nft_ct_attributes: AttributeNumber {}
extension nft_exthdr_attributes: AttributeNumber {}
extension nft_fib_attributes: AttributeNumber {}
extension nft_hook_attributes: AttributeNumber {}
extension nft_immediate_attributes: AttributeNumber {}
extension nft_lookup_attributes: AttributeNumber {}
extension nft_meta_attributes: AttributeNumber {}
extension nft_object_attributes: AttributeNumber {}
extension nft_objref_attributes: AttributeNumber {}
extension nft_payload_attributes: AttributeNumber {}
extension nft_range_attributes: AttributeNumber {}
extension nft_redir_attributes: AttributeNumber {}
extension nft_reject_attributes: AttributeNumber {}
extension nft_rule_attributes: AttributeNumber {}
extension nft_set_attributes: AttributeNumber {}
extension nft_set_elem_attributes: AttributeNumber {}
extension nft_set_elem_list_attributes: AttributeNumber {}
extension nft_table_attributes: AttributeNumber {}
extension nft_trace_attributes: AttributeNumber {}
extension nft_verdict_attributes: AttributeNumber {}
