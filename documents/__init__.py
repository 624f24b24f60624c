"""Files of customers: contracts, receipts, photos, copies of IDs; what is accepted, where it lies, who may have it."""
