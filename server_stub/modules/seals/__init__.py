"""印章管理: seals and licences, requests to use them, the register of every stamping, lending, and what becomes of a seal."""
