//! Resource Manager, which runs Terraform for a compartment: <https://docs.oracle.com/en-us/iaas/api/#/en/resourcemanager/20180917/>.

pub mod jobs;
pub mod stacks;

fn path(rest: &str) -> String {
    format!("/20180917/{rest}")
}

#[cfg(test)]
#[path = "resource_manager_tests.rs"]
mod tests;
