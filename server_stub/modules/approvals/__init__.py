"""内部审批: leave, trips, money, purchases, contracts, services, visitors, memos and kinds made here; balances, ledger, statistics."""
