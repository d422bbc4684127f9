import CAres

extension LookupFailure {
  /// The failure that a c-ares status means; nil for success.
  init?(_ status: Status) {
    switch status.rawValue {
    case ARES_SUCCESS: return nil
    case ARES_ENOTFOUND: self = .noSuchName
    case ARES_ENODATA: self = .noAddress
    case ARES_ETIMEOUT, ARES_ECANCELLED, ARES_EDESTRUCTION: self = .timedOut
    case ARES_ECONNREFUSED, ARES_EREFUSED, ARES_ESERVFAIL, ARES_ENOTIMP:
      self = .refused
    case ARES_EFORMERR, ARES_EBADRESP: self = .malformed
    default: self = .resolver(status: Int(status.rawValue))
    }
  }
}
