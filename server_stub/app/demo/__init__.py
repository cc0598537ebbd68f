"""The demo office: a county bureau with months of messages, notices and documents, made from resources/demo at first start."""

from server_stub.app.demo.fill import fill_demo_office as fill_demo_office
