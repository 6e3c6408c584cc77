package kinds

// ingress is healthy when it exists: many controllers never write an address.
func ingress(o object) Verdict {
	if address := loadBalancer(o); address != "" {
		return healthy("address " + address)
	}
	return healthy("")
}
